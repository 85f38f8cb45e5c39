{#-
    A probability, updated by Bayes' rule after a reader said yes or no. Var opinion_accuracy says how often the reader
    is right.
-#}
{% macro updated_probability(probability, says_yes) -%}
    {#- While dbt reads the project, nothing has checked the var yet. -#}
    {%- set accuracy = var('opinion_accuracy') if execute else 0.875 -%}
    {%- set odds = accuracy / (1 - accuracy) -%}
    {{ probability }} / ({{ probability }} + (1 - {{ probability }}) * if({{ says_yes }}, 1 / {{ odds }}, {{ odds }}))
{%- endmacro %}
