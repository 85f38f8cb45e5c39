{#-
    Notes in bronze.built_days of what a build has made its day. The day is built if all models that keep rows of days
    have run, save the ledgers of the board. It is tested if this run had all data tests and wrote the ledger of issues,
    which comes after their tests. The ledger then has the issues of the untested days before, too. A day whose build
    failed, or was made of something else in part, is built no more. Nor is var next_day: its build has to group it anew.
-#}
{% macro note_built_day() %}
    {#- The refs are outside the condition, so that dbt finds the dependencies of this operation. -#}
    {%- set built_days, corrections, posts = source('bronze', 'built_days'), source('bronze', 'corrections'), ref('posts') -%}
    {%- if execute and not flags.EMPTY and flags.WHICH in ('build', 'run') and load_relation(built_days) -%}
        {%- set done, failed, tested = [], [], [] -%}
        {%- for result in results -%}
            {%- if result.node.resource_type == 'test' -%}
                {%- do tested.append(result.node.unique_id) -%}
            {%- elif result.node.resource_type == 'model' -%}
                {%- do (done if result.status == 'success' else failed).append(result.node.name) -%}
            {%- endif -%}
        {%- endfor -%}
        {#- Over the lake, selectors in_order and next_in_order follow selector alone. -#}
        {%- set is_second = invocation_args_dict.get('selector') in ('in_order', 'next_in_order') and env_var('GROUNDSWELL_LAKE', '') -%}
        {%- set missing, tests = [], [] -%}
        {%- for node in graph.nodes.values() -%}
            {%- if node.resource_type == 'test' -%}
                {%- do tests.append(node.unique_id) -%}
            {%- elif (
                node.resource_type == 'model' and node.config.materialized == 'incremental'
                and not node.config.meta.get('publishes') and node.name not in done
                and (node.unique_id in selected_resources or not is_second)
            ) -%}
                {%- do missing.append(node.name) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set of_day = 'collection_date = ' ~ run_date() -%}
        {%- set made_of = made_of() -%}
        {%- if missing and done -%}
            {%- do run_and_commit(
                'delete from ' ~ built_days ~ ' where ' ~ of_day ~ (" and made_of <> '" ~ made_of ~ "'" if not failed else '')
            ) -%}
        {%- elif not missing -%}
            {%- set row = run_query(
                'select bit_xor(post_hash)::varchar, (select count(*) from ' ~ corrections
                ~ ' where as_of_date = ' ~ run_date() ~ ') from ' ~ posts ~ ' where ' ~ of_day
            ).rows[0] -%}
            {%- set same = of_day ~ " and made_of = '" ~ made_of ~ "' and posts_hash = '" ~ row[0] ~ "' and corrections = " ~ row[1] -%}
            {%- set is_tested = var('publish') and 'live_issues' in done and tested | length == tests | length -%}
            {#- The same input gives the same rows, which a build before may have tested. -#}
            {%- set was_tested = run_query('select 1 from ' ~ built_days ~ ' where is_tested and ' ~ same).rows | length > 0 -%}
            {%- do run_and_commit(
                'delete from ' ~ built_days ~ ' where ' ~ of_day
                ~ (" or collection_date = '" ~ var('next_day') ~ "'" if var('next_day') else '') ~ '; insert into ' ~ built_days ~ ' values (' ~ run_date()
                ~ ", '" ~ made_of ~ "', '" ~ row[0] ~ "', " ~ row[1] ~ ', ' ~ (is_tested or was_tested) ~ ')'
                ~ ('; update ' ~ built_days ~ ' set is_tested = true where not is_tested' if is_tested else '')
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
