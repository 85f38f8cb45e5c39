{#- The distinct pairs of neighbouring letters of a text, in lower case. A blank marks the start and the end. -#}
{% macro letter_pairs(text) %}
    {%- set letters = ' ' ~ (text | string | lower) ~ ' ' -%}
    {%- set pairs = [] -%}
    {%- for position in range(letters | length - 1) -%}
        {%- do pairs.append(letters[position:position + 2]) -%}
    {%- endfor -%}
    {%- do return(pairs | unique | list) -%}
{% endmacro %}
