{#-
    Bayes update of a probability after a reader said yes or no. Var opinion_accuracy is the reader's accuracy.
-#}
{% macro updated_probability(probability, says_yes) -%}
    {#- While dbt parses the project, no macro has checked the var yet. -#}
    {%- set accuracy = var('opinion_accuracy') if execute else 0.875 -%}
    {%- set odds = accuracy / (1 - accuracy) -%}
    {{ probability }} / ({{ probability }} + (1 - {{ probability }}) * if({{ says_yes }}, 1 / {{ odds }}, {{ odds }}))
{%- endmacro %}
