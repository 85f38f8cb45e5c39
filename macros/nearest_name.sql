{#-
    The one of `names` that is most similar to `name`; none if no pair of neighbouring letters is in both. The
    similarity is Dice's coefficient over pairs of neighbouring letters, with blanks at both ends: dat and date have 4
    and 5 pairs, of which 3 are in both, so their similarity is 6/9.
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
