{#- What the server is to do with a record of which `known` is what was noted before. -#}
{% macro live_action() -%}
    case
        when known.content_hash is null or known.action = 'delete' then 'create'
        when known.action = 'create' and known.synced_at is null then 'create'
        else 'update'
    end
{%- endmacro %}
