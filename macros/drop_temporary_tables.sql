{#- Drops the temporary tables that dbt-duckdb leaves after each incremental run of a Python model. -#}
{% macro drop_temporary_tables() %}
    {%- if execute -%}
        {%- set tables = run_query(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
            ~ " and contains(table_name, '__dbt_tmp')"
        ).rows -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.language == 'python' -%}
            {%- for schema, name in tables if name.startswith(node.alias ~ '__dbt_tmp') -%}
                {%- do run_query('drop table ' ~ api.Relation.create(schema=schema, identifier=name)) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
