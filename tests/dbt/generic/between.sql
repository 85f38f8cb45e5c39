{#- Fails for every value outside low..high, both inclusive; a hundredth of a per mille is forgiven to rounding. -#}
{% test between(model, column_name, low, high) %}
    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < {{ low }} - 0.00001 or {{ column_name }} > {{ high }} + 0.00001
{% endtest %}
