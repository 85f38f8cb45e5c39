{#- Fails for every combination of columns that more than one row has. -#}
{% test unique_together(model, column_name, columns) %}
    select {{ columns | join(', ') }}, count(*) as occurrences
    from {{ model }}
    group by all
    having count(*) > 1
{% endtest %}
