{#- Each layer is a schema: bronze, silver, gold. dbt's default would name it target_silver, for example. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | default(target.schema, true) | trim }}
{%- endmacro %}
