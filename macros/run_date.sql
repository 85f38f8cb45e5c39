{#- The UTC day this run builds, as a SQL date literal; errors as in run_day. -#}
{% macro run_date() -%}
    date '{{ run_day() }}'
{%- endmacro %}
