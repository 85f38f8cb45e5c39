{#-
    `dbt clone` on DuckDB: this materialization copies the rows of a table, and clones a view as a view on the original.
    Without --full-refresh, an existing relation stays as it is.
    dbt's own materialization fails for Python models, because it creates a view on the text "None" (dbt-duckdb 1.11).
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
