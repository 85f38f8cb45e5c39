{#-
    How `dbt clone` clones a model or seed on DuckDB: it copies the rows of a table, and makes a view on a view. An
    existing relation stays as it is, unless --full-refresh is given.
    dbt's own materialization makes a view of each clone, and has no query for a Python model (dbt-duckdb 1.11: a view on
    the text "None"). Nor does it commit.
-#}
{% materialization clone, adapter='duckdb' %}
    {%- set original = load_relation(defer_relation) if defer_relation else none -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set clone = this.incorporate(type=original.type if original else 'table') -%}
    {%- if not original -%}
        {%- do log(this ~ ' has no original in the state, and is not cloned', info=true) -%}
    {%- elif original.database == this.database and original.schema == this.schema -%}
        {%- do log(this ~ ' is the original, and is not cloned', info=true) -%}
    {%- elif existing and not flags.FULL_REFRESH -%}
        {%- do log(this ~ ' exists, and is not cloned', info=true) -%}
    {%- else -%}
        {%- if existing -%}
            {%- do adapter.drop_relation(existing) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            create {{ clone.type }} {{ clone }} as
            select * from {{ original }}
        {%- endcall -%}
        {%- do persist_docs(clone, model) -%}
        {%- do adapter.commit() -%}
        {%- do return({'relations': [clone]}) -%}
    {%- endif -%}
    {%- do return({'relations': []}) -%}
{% endmaterialization %}
