{#- Drops what dbt-duckdb leaves in schema main after each incremental run of a Python model. -#}
{% macro drop_temporary_tables() %}
    {%- if execute -%}
        {%- set leftovers = run_query(
            "select table_name from duckdb_tables() where schema_name = 'main' and table_name like '%\\_\\_dbt\\_tmp%' escape '\\'"
        ) -%}
        {%- for name in leftovers.columns[0].values() -%}
            {%- do run_query('drop table main.' ~ adapter.quote(name)) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
