{#-
    Replaces dbt-duckdb's macro, which writes the descriptions of a model and of all its columns at every build: this one
    reads the comments that stand in the database, and writes those that differ.
-#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {%- set wanted = {} -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do wanted.update({'': model.description}) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() -%}
        {%- for column in model.columns.values() if column.description -%}
            {%- do wanted.update({column.name: column.description}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if execute and wanted -%}
        {%- set standing -%}
            {%- for function, name, column in (
                ('duckdb_' ~ relation.type ~ 's', relation.type ~ '_name', "''"),
                ('duckdb_columns', 'table_name', 'column_name'),
            ) %}
    select
        {{ column }} as name,
        comment,
    from {{ function }}()
    where
        database_name = '{{ relation.database }}'
        and schema_name = '{{ relation.schema }}'
        and {{ name }} = '{{ relation.identifier }}'
    {{ 'union all' if not loop.last }}
            {%- endfor -%}
        {%- endset -%}
        {%- set comments -%}
            {%- for name, comment in run_query(standing).rows if wanted.get(name) not in (none, comment) %}
    comment on {{ 'column' if name else relation.type }} {{ relation }}{{ '.' ~ adapter.quote(name) if name }}
    is {{ duckdb_escape_comment(wanted[name]) }};
            {%- endfor -%}
        {%- endset -%}
        {%- if comments.strip() -%}
            {%- do run_query(comments) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
