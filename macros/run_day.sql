{#-
    The UTC day this run builds, as text: 2026-11-20. Refuses what is not a day.
    dbt_project.yml puts the day into the config of every model, where Python models read it. This macro reads it from
    the config of the first model.
-#}
{% macro run_day() -%}
    {%- set days = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | map(attribute='config.meta.run_date') if execute else ['1970-01-01'] -%}
    {%- set day = days | first -%}
    {%- set parts = modules.re.fullmatch('([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', day) -%}
    {%- if parts -%}
        {#- 31 April counted on from the 1st comes out as 1 May. -#}
        {%- set month = modules.datetime.datetime(parts.group(1) | int, parts.group(2) | int, 1) -%}
        {%- set counted = month + modules.datetime.timedelta(days=(parts.group(3) | int) - 1) -%}
    {%- endif -%}
    {%- if not parts or counted.strftime('%Y-%m-%d') != day -%}
        {%- do exceptions.raise_compiler_error(
            "date '" ~ day ~ "' is not a day: write it as in --vars 'date: 2026-11-20'"
        ) -%}
    {%- endif -%}
    {{ day }}
{%- endmacro %}
