{#-
    Hook on-run-end: notes the fingerprints of what this run has built and tested, and says how much it has left alone. A
    killed build notes nothing.
-#}
{% macro note_fingerprints() %}
    {%- set known = graph.get('fingerprints') -%}
    {%- if execute and known and known.invocation == invocation_id -%}
        {%- if known.made -%}
            {%- set rows = [] -%}
            {%- for unique_id, fingerprint in dict(known.noted, **known.made).items() -%}
                {%- do rows.append("('" ~ unique_id ~ "', '" ~ fingerprint ~ "')") -%}
            {%- endfor -%}
            {%- set table = fingerprints_table() -%}
            {%- do run_and_commit('create schema if not exists ' ~ table.without_identifier()) -%}
            {%- do run_and_commit(
                'create or replace table ' ~ table.render() ~ ' as select * from (values ' ~ rows | join(', ')
                ~ ') as noted (unique_id, fingerprint)'
            ) -%}
        {%- endif -%}
        {%- set tests = known.unchanged | select('equalto', 'test') | list | length -%}
        {%- if known.unchanged -%}
            {%- do log(
                'Unchanged since the last build, and left alone: ' ~ (known.unchanged | length - tests) ~ ' tables and views, '
                ~ tests ~ ' data tests. `dbt test` runs all data tests, `dbt build --full-refresh` does everything', info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
