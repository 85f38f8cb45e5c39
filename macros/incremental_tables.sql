{#- The tables of the incremental models that exist: a list of pairs of a relation and the names of its columns. -#}
{% macro incremental_tables() %}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' -%}
        {%- set table = load_relation(
            api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)
        ) -%}
        {%- if table -%}
            {%- do found.append((table, adapter.get_columns_in_relation(table) | map(attribute='name') | list)) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}
