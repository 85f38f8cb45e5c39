{#-
    Fails if the keys of a JSON object are not `keys`, in this order. It reads one row: the views that it tests make all
    objects from one struct.
-#}
{% test json_keys(model, column_name, keys) %}
    select {{ column_name }}
    from (select {{ column_name }} from {{ model }} limit 1) as first_row
    where json_keys({{ column_name }}) is distinct from ['{{ keys | join("', '") }}']
{% endtest %}
