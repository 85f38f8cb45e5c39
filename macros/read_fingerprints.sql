{#-
    Hook on-run-start, the last one: reads what macro unless_unchanged compares. These are the fingerprints that the last
    builds have noted, the hash of the rows of every table, and what belongs to the code of every node: the macros, the
    Python code that models share, the pinned packages, the vars and the day. With --full-refresh no fingerprint counts.
    With --empty, --sample and --defer, and on target dev, nothing is compared or noted, because the tables of this
    database do not say what models read.
-#}
{% macro read_fingerprints() %}
    {%- if (
        execute and flags.WHICH in ('build', 'run') and not flags.EMPTY and target.name != 'dev'
        and not invocation_args_dict.get('defer') and not invocation_args_dict.get('sample')
    ) -%}
        {%- set settings = {'day': run_day()} -%}
        {%- for name in var_rules() if name != 'date' -%}
            {%- do settings.update({name: var(name) | string}) -%}
        {%- endfor -%}
        {%- set code = run_query(
            "select version() || sha256(string_agg(filename || sha256(content), '' order by filename)) from read_blob(["
            ~ "'constraints.txt', 'groundswell/**/*.py', 'macros/*.sql'])"
        ).columns[0].values()[0] -%}
        {%- set noted, table = {}, load_relation(fingerprints_table()) -%}
        {%- if table and not flags.FULL_REFRESH -%}
            {%- for unique_id, fingerprint in run_query('select * from ' ~ table).rows -%}
                {%- do noted.update({unique_id: fingerprint}) -%}
            {%- endfor -%}
        {%- endif -%}
        {#- `graph` is the same for all nodes of a command, and for later commands of a process. -#}
        {%- do graph.update({'fingerprints': {
            'invocation': invocation_id,
            'code': [dbt_version, code, settings],
            'noted': noted,
            'rows': hashes_of_rows(),
            'behind': {},
            'made': {},
            'unchanged': [],
            'passed': run_query('select 0 as failures, false as should_warn, false as should_error'),
        }}) -%}
    {%- endif -%}
{% endmacro %}

{#- The table of fingerprints. It is no layer: a copy without it is complete, and its first build does everything. -#}
{% macro fingerprints_table() %}
    {%- do return(api.Relation.create(
        database=target.database, schema='builds', identifier='fingerprints', type='table'
    )) -%}
{% endmacro %}
