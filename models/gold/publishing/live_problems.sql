{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='problem_id',
        post_hook={'sql': "{{ push_live('problems') }}", 'transaction': false},
    )
}}

with

problem_records as (

    select * from {{ ref('problem_records') }}

),

known as (

    select
        null::varchar as problem_id,
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
live_problems as (

    select
        problem_records.record_id as problem_id,
        problem_records.content_hash,
        {{ live_action() }} as action,
        null::timestamp as synced_at,
    from problem_records
    left join known on problem_records.record_id = known.problem_id
    where known.content_hash is distinct from problem_records.content_hash or known.action = 'delete'

    union all

    select
        problem_id,
        content_hash,
        'delete' as action,
        null as synced_at,
    from known
    where action is distinct from 'delete' and problem_id not in (select problem_records.record_id from problem_records)

)

select * from live_problems
