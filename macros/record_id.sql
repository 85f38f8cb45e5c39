{#- The id that a row has in PocketBase: 15 characters of [a-f0-9], derived from its key, the same at every build. -#}
{% macro record_id(key) -%}
    left(sha256(concat_ws('/', {{ key | join(', ') }})), 15)
{%- endmacro %}
