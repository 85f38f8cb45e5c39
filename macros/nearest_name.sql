{#-
    The one of `names` that is most like `name`, or none if no name shares two neighbouring letters with it.
    The similarity is Dice's coefficient over pairs of neighbouring letters, the two ends of a name included:
    dat and date share three of their 4 + 5 pairs, so their similarity is 6/9.
-#}
{% macro nearest_name(name, names) %}
    {%- set best = namespace(name=none, similarity=0) -%}
    {%- set pairs = letter_pairs(name) -%}
    {%- for candidate in names -%}
        {%- set others = letter_pairs(candidate) -%}
        {%- set similarity = 2 * (pairs | select('in', others) | list | length) / (pairs | length + others | length) -%}
        {%- if similarity > best.similarity -%}
            {%- set best.name = candidate -%}
            {%- set best.similarity = similarity -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(best.name) -%}
{% endmacro %}
