{#-
    A probability after a reader has said yes or no who is right seven times in eight (Bayes' rule): so often a language
    model that read the posts of training twice agreed with itself on those that the score is unsure of.
-#}
{% macro updated_probability(probability, says_yes) -%}
    {{ probability }} / ({{ probability }} + (1 - {{ probability }}) * if({{ says_yes }}, 1 / 7, 7))
{%- endmacro %}
