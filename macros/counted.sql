{#- A number and its noun, for a message: 1 post, 2 posts. The plural of the noun ends with s. -#}
{% macro counted(number, noun) -%}
    {{ number }} {{ noun }}{{ '' if number == 1 else 's' }}
{%- endmacro %}
