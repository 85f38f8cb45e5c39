{#-
    How a Python model names what it refs: dbt's own dispatch. With --empty dbt reads a SQL model's refs as empty, and a
    Python model's refs in full (dbt-core 1.11, build_ref_function); this macro makes them empty for both. dbt passes a
    ref as text, and `this` and sources as relations.
-#}
{% macro duckdb__resolve_model_name(input_model_name) %}
    {%- set name = dbt.default__resolve_model_name(input_model_name) -%}
    {%- if flags.EMPTY and input_model_name is string -%}
        (select * from {{ name }} where false limit 0)
    {%- else -%}
        {{ name }}
    {%- endif -%}
{% endmacro %}
