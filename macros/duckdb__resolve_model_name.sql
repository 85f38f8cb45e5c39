{#-
    Names a ref, source or `this` in the code that dbt generates for a Python model. With --empty, dbt empties the refs
    of SQL models and not those of Python models (dbt-core 1.11, build_ref_function); this macro empties the refs of
    Python models too. dbt passes refs as text, and sources and `this` as relations.
-#}
{% macro duckdb__resolve_model_name(input_model_name) %}
    {%- set name = dbt.default__resolve_model_name(input_model_name) -%}
    {%- if flags.EMPTY and input_model_name is string -%}
        (select * from {{ name }} where false limit 0)
    {%- else -%}
        {{ name }}
    {%- endif -%}
{% endmacro %}
