{#- The action for a record: create or update. CTE `known` has the row of the record from the build before. -#}
{% macro live_action() -%}
    case
        when known.content_hash is null or known.action = 'delete' then 'create'
        when known.action = 'create' and known.synced_at is null then 'create'
        else 'update'
    end
{%- endmacro %}
