{#- The id of a row's record in PocketBase: 15 characters of [a-f0-9], derived from the key of the row. -#}
{% macro record_id(key) -%}
    left(sha256(concat_ws('/', {{ key | join(', ') }})), 15)
{%- endmacro %}
