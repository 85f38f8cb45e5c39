{#-
    The UTC day of this run, as text: 2026-11-20. dbt_project.yml puts the day into the config of every model, where
    Python models read it; this macro reads it from the config of the first model. Only `dbt show` without a date takes
    another day: the newest one that the shown model has (macro newest_day).
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
