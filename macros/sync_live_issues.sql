{#-
    Post-hook of gold.live_issues: pushes the day to PocketBase, or says how many issues wait where
    POCKETBASE_URL is not set. Runs outside the transaction, so that each batch is recorded as it goes.
-#}
{% macro sync_live_issues() %}
    {%- if execute -%}
        {%- set day = run_day() -%}
        {%- if env_var('POCKETBASE_URL', '') -%}
            {%- set outcome = fromjson(run_query("select sync_day('" ~ day ~ "')").columns[0].values()[0]) -%}
            {%- if 'error' in outcome -%}
                {%- do exceptions.raise_compiler_error(outcome['error']) -%}
            {%- endif -%}
            {%- do log(outcome['message'], info=true) -%}
        {%- else -%}
            {%- set waiting = run_query(
                'select count(*) from ' ~ this ~ ' where synced_at is null and cluster_date = ' ~ run_date()
            ).columns[0].values()[0] -%}
            {%- do log(
                'PocketBase sync is off (POCKETBASE_URL is not set): ' ~ waiting ~ ' issues of ' ~ day ~ ' wait', info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
