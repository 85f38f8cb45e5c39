{#-
    Post-hook of the ledgers: pushes the issues of the day, or all problems or themes, to PocketBase.
    Without POCKETBASE_URL, the hook says how many records wait. It runs outside the transaction, so that the database
    records each batch as soon as PocketBase has the batch. With --empty, with var publish false, and on target dev, it pushes nothing, because
    the tables do not hold the records of the board.
-#}
{% macro push_live(what) %}
    {%- if execute and not flags.EMPTY and target.name != 'dev' and var('publish') -%}
        {%- if env_var('POCKETBASE_URL', '') -%}
            {%- set call = "select push_live('" ~ what ~ "', '" ~ run_day() ~ "')" -%}
            {%- set outcome = fromjson(run_query(call).columns[0].values()[0]) -%}
            {%- if 'error' in outcome -%}
                {%- do exceptions.raise_compiler_error(outcome['error']) -%}
            {%- endif -%}
            {%- do log(outcome['message'], info=true) -%}
        {%- else -%}
            {%- set waiting = run_query('select count(*) from ' ~ this ~ ' where synced_at is null').columns[0].values()[0] -%}
            {%- do log(
                'PocketBase sync is off (POCKETBASE_URL is not set): ' ~ counted(waiting, what[:-1]) ~ (' waits' if waiting == 1 else ' wait'), info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
