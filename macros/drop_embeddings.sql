{#-
    Deletes the embeddings of one embedding model. The next build of a day encodes the day's texts again.
    dbt run-operation drop_embeddings --args '{model: all-MiniLM-L6-v2}'
-#}
{% macro drop_embeddings(model) %}
    {%- set embeddings = ref('embeddings') -%}
    {%- set dropped = run_query("select count(*) from " ~ embeddings ~ " where model = '" ~ model ~ "'") -%}
    {%- do run_query("delete from " ~ embeddings ~ " where model = '" ~ model ~ "'") -%}
    {%- do adapter.commit() -%}
    {%- do log(dropped.columns[0].values()[0] ~ " embeddings of " ~ model ~ " dropped", info=true) -%}
{% endmacro %}
