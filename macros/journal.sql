{#-
    The journal of a Python model, a table beside the model's table. The model commits rows there before it ends, so
    that a killed build does not lose them. Function journal_of in groundswell.relations gives the same name.
-#}
{% macro journal(relation) -%}
    {{ relation.incorporate(path={'identifier': relation.identifier ~ '__journal'}) }}
{%- endmacro %}
