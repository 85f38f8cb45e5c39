{#- The tables of the incremental models that exist: a list of pairs of a relation and the names of its columns. -#}
{% macro incremental_tables() %}
    {#- One query for all: adapter.get_columns_in_relation takes 0.03 s of CPU time for each table. -#}
    {%- set columns = {} -%}
    {%- for schema, name, column in run_query(
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = current_database()"
        ~ " and schema_name in ('silver', 'gold') order by schema_name, table_name, column_index"
    ).rows -%}
        {%- do columns.setdefault(schema ~ '.' ~ name, []).append(column) -%}
    {%- endfor -%}
    {%- set found = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'incremental' -%}
        {%- set table = load_relation(
            api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias)
        ) -%}
        {%- if table -%}
            {%- do found.append((table, columns[node.schema ~ '.' ~ node.alias])) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}
