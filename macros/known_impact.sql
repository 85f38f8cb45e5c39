{#-
    The impact level of a post or a group, if the built-in labeller knows it; else null. `level` is the most likely level,
    `probability` its probability. Only a level that is right in at least 60 % of the held-out posts is said: low from
    0.6 on. Medium and high are not right so often on both halves of the labelled posts, whatever their probability.
-#}
{% macro known_impact(level, probability) -%}
    case when {{ level }} = 'low' and {{ probability }} >= 0.6 then {{ level }} end
{%- endmacro %}
