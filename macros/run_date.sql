{#- The UTC day of this run, as a SQL date literal. -#}
{% macro run_date() -%}
    date '{{ run_day() }}'
{%- endmacro %}
