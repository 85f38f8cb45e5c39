{#- Layers are schemas: bronze, silver, gold; never target_silver as dbt's default would have it. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | default(target.schema, true) | trim }}
{%- endmacro %}
