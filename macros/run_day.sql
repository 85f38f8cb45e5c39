{#-
    The UTC day of this run, as text: 2026-11-20. It is var date, or the day before this run began. Models are compiled
    with it at each run: what dbt keeps of the parsed project holds no day. `dbt show` without a date uses another day:
    the newest day in the table of the shown model (macro newest_day).
-#}
{% macro run_day() -%}
    {%- set yesterday = (run_started_at - modules.datetime.timedelta(days=1)).strftime('%Y-%m-%d') -%}
    {%- if execute and flags.WHICH == 'show' and not var.has_var('date') -%}
        {%- set yesterday = newest_day() or yesterday -%}
    {%- endif -%}
    {#- dbt reads an unquoted date as datetime.date. -#}
    {{ var('date', yesterday) | string }}
{%- endmacro %}
