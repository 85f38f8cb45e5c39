{#-
    The impact level of a post or a group, if the built-in labeller knows it; else null. `level` is the most likely level,
    `probability` its probability. Only a level that is right in at least 60 % of the held-out posts is said: low, from
    0.6 on. No probability makes medium or high right so often.
-#}
{% macro known_impact(level, probability) -%}
    case when {{ level }} = 'low' and {{ probability }} >= 0.6 then {{ level }} end
{%- endmacro %}
