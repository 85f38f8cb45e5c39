{#-
    Compares the columns of new rows with those of the table in one query. Where they differ, dbt's own macro follows, which
    asks for the columns of each: 0.05 s of CPU time for each incremental model.
-#}
{% macro duckdb__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {%- set columns, different = [], [] -%}
    {%- for name, new_type, type in run_query(
        'select column_name, new_rows.column_type, standing.column_type from (describe ' ~ source_relation ~ ') as new_rows'
        ~ ' full join (describe ' ~ target_relation ~ ') as standing using (column_name)'
    ).rows -%}
        {#- A column that one of them lacks has no type. -#}
        {%- do columns.append(api.Column(name, type)) if new_type == type else different.append(name) -%}
    {%- endfor -%}
    {%- if different -%}
        {%- do return(default__process_schema_changes(on_schema_change, source_relation, target_relation)) -%}
    {%- endif -%}
    {%- do return(columns) -%}
{% endmacro %}
