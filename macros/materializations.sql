{#-
    The materializations of dbt, and its data tests, with one addition: where nothing has changed, they do nothing
    (macro unless_unchanged).
-#}
{% materialization incremental, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- do return(unless_unchanged.call_macro(dbt.materialization_incremental_duckdb)) -%}
{% endmaterialization %}

{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- do return(unless_unchanged.call_macro(dbt.materialization_table_duckdb)) -%}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- do return(unless_unchanged.call_macro(dbt.materialization_view_default)) -%}
{% endmaterialization %}

{% materialization seed, adapter='duckdb' %}
    {%- do return(unless_unchanged.call_macro(dbt.materialization_seed_default)) -%}
{% endmaterialization %}

{% materialization test, adapter='duckdb' %}
    {%- do return(unless_unchanged.call_macro(dbt.materialization_test_default)) -%}
{% endmaterialization %}
