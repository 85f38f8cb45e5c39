{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='issue_id',
        post_hook={'sql': "{{ push_live('issues') }}", 'transaction': false},
    )
}}

with

issue_records as (

    select * from {{ ref('issue_records') }}
    where {{ published_days('cluster_date') }}

),

known as (

    select
        null::varchar as issue_id,
        null::integer as cluster_id,
        null::varchar as content_hash,
        null::varchar as action,
        null::date as cluster_date,
        null::timestamp as synced_at,
    where false
    {% if is_incremental() and not flags.EMPTY -%}
        union all by name
        select * from {{ this }}
        where {{ published_days('cluster_date') }}
    {%- endif %}

),

-- Unchanged records that PocketBase has acknowledged keep their rows.
live_issues as (

    select
        issue_records.record_id as issue_id,
        issue_records.cluster_id,
        issue_records.content_hash,
        {{ live_action() }} as action,
        issue_records.cluster_date,
        null::timestamp as synced_at,
    from issue_records
    left join known on issue_records.record_id = known.issue_id
    where known.content_hash is distinct from issue_records.content_hash or known.action = 'delete'

    union all

    select
        issue_id,
        cluster_id,
        content_hash,
        'delete' as action,
        cluster_date,
        null as synced_at,
    from known
    where action is distinct from 'delete' and issue_id not in (select issue_records.record_id from issue_records)

)

select * from live_issues
