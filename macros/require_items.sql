{#-
    Stops a build of a day without posts before any model runs, because such a day was not collected. With --empty,
    models read no posts, so every day is allowed.
-#}
{% macro require_items() %}
    {%- if execute and flags.EMPTY -%}
        {%- do log(
            '--empty: tables of days keep their rows; views and tables of all days are empty until the next build', info=true
        ) -%}
    {%- elif execute and flags.WHICH in ('build', 'run') -%}
        {%- set raw_items = source('bronze', 'raw_items') -%}
        {%- set found = load_relation(raw_items) -%}
        {%- if found -%}
            {%- set items = run_query('select count(*) from ' ~ raw_items ~ ' where collection_date = ' ~ run_date()) -%}
        {%- endif -%}
        {%- if not found or items.columns[0].values()[0] == 0 -%}
            {%- set day = run_day() -%}
            {%- set at_hand = [] -%}
            {%- if found -%}
                {%- set at_hand = run_query(
                    'select distinct collection_date::varchar from ' ~ raw_items ~ ' order by all desc limit 8'
                ).columns[0].values() -%}
            {%- endif -%}
            {%- do exceptions.raise_compiler_error(
                'no posts of ' ~ day ~ ' in ' ~ target.path ~ ': collect them first, python -m ingest --date ' ~ day
                ~ ('. The latest days at hand: ' ~ at_hand | join(', ') if at_hand else '')
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
