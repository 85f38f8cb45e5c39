{#-
    The name of a relation for the text of a view, without its database. DuckDB names a database after its file, so a
    view with the name of the database would break in a copy of the file. Only a relation that --defer takes from
    another database keeps the name of that database.
-#}
{% macro nearby(relation) %}
    {%- do return(relation.include(database=relation.database != this.database)) -%}
{% endmacro %}
