{#-
    {schema.name: text} of relations by their names and types: of a table the number of its rows and the sum of their
    hashes, whatever their order. A view has no rows of its own.
-#}
{% macro hashes_of_rows(types) %}
    {%- set hashes, queries = {}, [] -%}
    {%- for name, type in types.items() -%}
        {%- do hashes.update({name: ''}) -%}
        {%- if type == 'table' -%}
            {%- set schema, identifier = name.split('.', 1) -%}
            {%- do queries.append(
                "select '" ~ name ~ "', count(*) || ' ' || coalesce(sum(hash(entry)::hugeint), 0) from "
                ~ api.Relation.create(database=target.database, schema=schema, identifier=identifier) ~ ' as entry'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name, rows in run_query(queries | join(' union all ')).rows if queries -%}
        {%- do hashes.update({name: rows}) -%}
    {%- endfor -%}
    {%- do return(hashes) -%}
{% endmacro %}

{#-
    {schema.name: [text, type]} of all tables and views of the layers: a hash of their definition and comments. Brackets,
    quotes and joins of everything with everything do not count in a definition: DuckDB 1.5 writes those of a view in
    another way once the file was closed.
-#}
{% macro definitions() %}
    {%- set query -%}
        with relations as (
            {%- for type in ('table', 'view') %}
            select schema_name, {{ type }}_name as name, sql, comment, '{{ type }}' as type
            from duckdb_{{ type }}s()
            where database_name = current_database() and schema_name in ('bronze', 'silver', 'gold')
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ),
        comments as (
            select schema_name, table_name as name, string_agg(comment, ' ' order by column_index) as comments
            from duckdb_columns()
            where database_name = current_database()
            group by all
        )
        select
            schema_name || '.' || name,
            md5(concat_ws(' ', regexp_replace(sql, '[\s(),"]|cross join', '', 'gi'), comment, comments)),
            type,
        from relations
        left join comments using (schema_name, name)
    {%- endset -%}
    {%- set found = {} -%}
    {%- for name, definition, type in run_query(query).rows -%}
        {%- do found.update({name: [definition, type]}) -%}
    {%- endfor -%}
    {%- do return(found) -%}
{% endmacro %}
