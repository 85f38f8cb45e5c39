{#-
    On target dev, makes each table that `python -m ingest` fills a view on the table of the attached production database,
    unless the dev database has a relation of that name. Sources are never deferred, and dev collects nothing itself.
    What builds write into the schema (meta written_by: dbt) stays dev's own.
-#}
{% macro read_sources_of_production() %}
    {%- if execute and target.name == 'dev' and flags.WHICH in ('build', 'run', 'test', 'seed') -%}
        {%- set attached = run_query(
            'select database_name from duckdb_databases() where readonly and not internal'
        ).columns[0].values() -%}
        {%- for node in graph.sources.values() if attached and node.meta.get('written_by') != 'dbt' -%}
            {%- set local = api.Relation.create(
                database=target.database, schema=node.schema, identifier=node.identifier, type='view'
            ) -%}
            {%- if not load_relation(local) -%}
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
