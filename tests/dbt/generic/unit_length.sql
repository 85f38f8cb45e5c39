{#- Fails for every embedding that is not 384 finite numbers of unit length. -#}
{% test unit_length(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where
        len({{ column_name }}) != 384
        or not abs(list_inner_product({{ column_name }}, {{ column_name }}) - 1) < 0.001
{% endtest %}
