{#-
    {schema.name: text} of one relation, or of all tables and views of the layers: its definition, the number of its rows
    and the sum of their hashes, whatever their order. Of a view it is the definition alone, without brackets and joins of
    everything with everything: DuckDB 1.5 writes these in another way once the file was closed.
-#}
{% macro hashes_of_rows(relation=none) %}
    {%- set wanted -%}
        where
            database_name = current_database()
            {%- if relation %}
            and schema_name = '{{ relation.schema }}'
            and name = '{{ relation.identifier }}'
            {%- else %}
            and schema_name in ('bronze', 'silver', 'gold')
            {%- endif %}
    {%- endset -%}
    {%- set definition = "md5(regexp_replace(sql, '[\\s(),]|cross join', '', 'gi'))" -%}
    {%- set hashes, queries = {}, [] -%}
    {%- for schema, name, text, is_table in run_query(
        'select schema_name, table_name as name, md5(sql), true from duckdb_tables() ' ~ wanted
        ~ ' union all select schema_name, view_name as name, ' ~ definition ~ ', false from duckdb_views() ' ~ wanted
    ).rows -%}
        {%- do hashes.update({schema ~ '.' ~ name: text}) -%}
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
