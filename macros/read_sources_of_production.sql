{#-
    On target dev, creates a view for each source that the dev database lacks; the view reads the attached production
    database. --defer does not work for sources, and dev collects no posts. Sources that builds write (meta written_by:
    dbt) are left out: dev has its own tables.
-#}
{% macro read_sources_of_production() %}
    {%- if execute and target.name == 'dev' and flags.WHICH in ('build', 'run', 'test', 'seed') -%}
        {%- set attached = run_query(
            'select database_name from duckdb_databases() where readonly and not internal'
        ).columns[0].values() -%}
        {%- set originals = run_query(
            'select database_name, schema_name, table_name from duckdb_tables() '
            ~ 'union all select database_name, schema_name, view_name from duckdb_views()'
        ).rows | map('list') | list -%}
        {%- for node in graph.sources.values() if attached and node.meta.get('written_by') != 'dbt' -%}
            {%- set local = api.Relation.create(
                database=target.database, schema=node.schema, identifier=node.identifier, type='view'
            ) -%}
            {#- An older version of the project may have written the production database. -#}
            {%- if not load_relation(local) and [attached[0], node.schema, node.identifier] in originals -%}
                {%- do run_query('create schema if not exists ' ~ local.without_identifier()) -%}
                {%- do run_query(
                    'create view ' ~ local ~ ' as select * from ' ~ local.incorporate(path={'database': attached[0]})
                ) -%}
                {%- do adapter.commit() -%}
                {%- do adapter.cache_added(local) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
