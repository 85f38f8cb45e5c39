{#-
    A probability, updated by Bayes' rule after a reader said yes or no. Var opinion_accuracy says how often the reader
    is right.
-#}
{% macro updated_probability(probability, says_yes) -%}
    {%- set odds = var('opinion_accuracy') / (1 - var('opinion_accuracy')) -%}
    {{ probability }} / ({{ probability }} + (1 - {{ probability }}) * if({{ says_yes }}, 1 / {{ odds }}, {{ odds }}))
{%- endmacro %}
