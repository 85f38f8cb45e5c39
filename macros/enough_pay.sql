{#- Whether enough people speak of paying, of all in a group: three of them, or one in ten. -#}
{% macro enough_pay(paying, all) -%}
    {{ paying }} >= 3 or 10 * {{ paying }} >= {{ all }}
{%- endmacro %}
