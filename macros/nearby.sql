{#-
    The name of a relation for the text of a view. DuckDB calls a database by the name of its file, so a view that named
    the database would break in a copy of the file under another name. Only a relation that --defer takes from another
    database keeps the name of that database.
-#}
{% macro nearby(relation) %}
    {%- do return(relation.include(database=relation.database != this.database)) -%}
{% endmacro %}
