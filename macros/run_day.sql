{#-
    The UTC day of this run, as text: 2026-11-20. dbt_project.yml puts the day into the config of every model, because
    Python models read it there. This macro reads the config of the first model. `dbt show` without a date uses another
    day: the newest day in the table of the shown model (macro newest_day).
-#}
{% macro run_day() -%}
    {%- set days = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | map(attribute='config.meta.run_date') if execute else ['1970-01-01'] -%}
    {%- set day = days | first -%}
    {%- if execute and flags.WHICH == 'show' and not var.has_var('date') -%}
        {%- set day = newest_day() or day -%}
    {%- endif -%}
    {{ day }}
{%- endmacro %}
