{#-
    dbt ends the code of each Python model with what this macro returns; dbt's own macro returns nothing. This one adds the
    day of the run to the settings of the model, which reads it with dbt.config.meta_get("run_date"), and var next_day.
-#}
{% macro py_script_comment() -%}
meta_dict['run_date'] = '{{ run_day() }}'
meta_dict['next_day'] = '{{ var('next_day') or '' }}'
{%- endmacro %}
