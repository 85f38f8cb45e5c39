{#-
    The statement with which `dbt clone` clones a table: DuckDB has no clone without a copy, so it copies the rows. A view
    is cloned by dbt itself, as a view on the view of the other database.
-#}
{% macro duckdb__create_or_replace_clone(this_relation, defer_relation) %}
    create or replace table {{ this_relation.render() }} as
    select * from {{ defer_relation.render() }}
{% endmacro %}
