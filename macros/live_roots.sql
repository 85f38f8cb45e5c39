{#-
    The CTEs known and live_roots of a ledger whose push is about all records: which records PocketBase must create,
    update or delete. `key` is the ledger's column with the ids of records. CTE `records` has the records.
-#}
{% macro live_roots(key) -%}
    known as (

    select
        null::varchar as {{ key }},
        null::varchar as content_hash,
        null::varchar as action,
        null::timestamp as synced_at,
    where false
    {% if is_incremental() and not flags.EMPTY -%}
        union all by name
        select * from {{ this }}
    {%- endif %}

),

-- Unchanged records that PocketBase has acknowledged keep their rows.
live_roots as (

    select
        records.record_id as {{ key }},
        records.content_hash,
        {{ live_action() }} as action,
        null::timestamp as synced_at,
    from records
    left join known on records.record_id = known.{{ key }}
    where known.content_hash is distinct from records.content_hash or known.action = 'delete'

    union all

    select
        {{ key }},
        content_hash,
        'delete' as action,
        null as synced_at,
    from known
    where action is distinct from 'delete' and {{ key }} not in (select records.record_id from records)

)
{%- endmacro %}
