{#- Tells `dbt clone` that a table is cloned as a table. Without it dbt makes each clone a view, and fails for Python models. -#}
{% macro duckdb__can_clone_table() %}
    {%- do return(true) -%}
{% endmacro %}
