{#-
    {schema.name: text} of one relation, or of all tables and views of the layers: a hash of its definition and comments,
    and of a table the number of its rows and the sum of their hashes, whatever their order. Brackets, quotes and joins of
    everything with everything do not count in a definition: DuckDB 1.5 writes those of a view in another way once the
    file was closed.
-#}
{% macro hashes_of_rows(relation=none) %}
    {%- set query -%}
        with relations as (
            {%- for type in ([relation.type] if relation else ['table', 'view']) %}
            select schema_name, {{ type }}_name as name, sql, comment, {{ type == 'table' }} as is_table
            from duckdb_{{ type }}s()
            where database_name = current_database()
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
            schema_name,
            name,
            md5(concat_ws(' ', regexp_replace(sql, '[\s(),"]|cross join', '', 'gi'), comment, comments)),
            is_table,
        from relations
        left join comments using (schema_name, name)
        where
            {%- if relation %}
            schema_name = '{{ relation.schema }}' and name = '{{ relation.identifier }}'
            {%- else %}
            schema_name in ('bronze', 'silver', 'gold')
            {%- endif %}
    {%- endset -%}
    {%- set hashes, queries = {}, [] -%}
    {%- for schema, name, definition, is_table in run_query(query).rows -%}
        {%- do hashes.update({schema ~ '.' ~ name: definition}) -%}
        {%- if is_table -%}
            {%- do queries.append(
                "select '" ~ schema ~ '.' ~ name ~ "', count(*) || ' ' || coalesce(sum(hash(entry)::hugeint), 0) from "
                ~ api.Relation.create(database=target.database, schema=schema, identifier=name) ~ ' as entry'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name, rows in run_query(queries | join(' union all ')).rows if queries -%}
        {%- do hashes.update({name: hashes[name] ~ ' ' ~ rows}) -%}
    {%- endfor -%}
    {%- do return(hashes) -%}
{% endmacro %}
