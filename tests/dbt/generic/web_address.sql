{#- Fails for every URL that is not http or https with a host. -#}
{% test web_address(model, column_name) %}
    select {{ column_name }}
    from {{ model }}
    where not regexp_full_match({{ column_name }}, 'https?://[^/\s]+(/\S*)?')
{% endtest %}
