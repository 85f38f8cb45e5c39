{#- The table beside a table in which a Python model keeps rows that must outlive a killed build (groundswell.relations). -#}
{% macro journal(relation) -%}
    {{ relation.incorporate(path={'identifier': relation.identifier ~ '__journal'}) }}
{%- endmacro %}
