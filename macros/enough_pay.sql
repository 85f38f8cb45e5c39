{#- Whether enough posts or voices of a group speak of paying: three of them, or one in ten. -#}
{% macro enough_pay(paying, all) -%}
    {{ paying }} >= 3 or 10 * {{ paying }} >= {{ all }}
{%- endmacro %}
