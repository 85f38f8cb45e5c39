{#-
    Fails for every one of the columns in which a row has no value, with the number of such rows. One test serves a whole
    table: dbt takes longer to start a test than DuckDB to run it.
-#}
{% test no_nulls(model, columns) %}
    select column_name, null_count
    from (
        unpivot (
            select
                {% for column in columns %}
                    count(*) - count({{ column }}) as {{ column }},
                {% endfor %}
            from {{ model }}
        )
        on columns(*)
        into name column_name value null_count
    )
    where null_count > 0
{% endtest %}
