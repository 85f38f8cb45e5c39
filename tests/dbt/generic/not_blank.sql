{#- Fails for every text without a visible character. -#}
{% test not_blank(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where trim({{ column_name }}) = ''
{% endtest %}
