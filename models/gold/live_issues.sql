{{
    config(
        materialized='incremental',
        incremental_strategy='replace_day',
        unique_key='cluster_date',
        post_hook={'sql': '{{ sync_live_issues() }}', 'transaction': false},
    )
}}

with

issues as (

    select * from {{ ref('issues') }}
    where cluster_date = {{ run_date() }}

),

issue_evidence as (

    select * from {{ ref('issue_evidence') }}
    where cluster_date = {{ run_date() }}

),

known as (

    {% if is_incremental() %}
        select * from {{ this }}
        where cluster_date = {{ run_date() }}
    {% else %}
        select
            null::varchar as issue_id,
            null::varchar as content_hash,
            null::timestamp as synced_at,
        where false
    {% endif %}

),

evidence_hashes as (

    select
        issue_id,
        sha256(string_agg(to_json(issue_evidence)::varchar, '' order by url_hash)) as evidence_hash,
    from issue_evidence
    group by all

),

issue_hashes as (

    select
        issue_id,
        cluster_id,
        sha256(to_json(issues)::varchar) as issue_hash,
        cluster_date,
    from issues

),

hashed as (

    select
        issue_hashes.issue_id,
        issue_hashes.cluster_id,
        sha256(issue_hashes.issue_hash || evidence_hashes.evidence_hash) as content_hash,
        issue_hashes.cluster_date,
    from issue_hashes
    inner join evidence_hashes on issue_hashes.issue_id = evidence_hashes.issue_id

),

live_issues as (

    select
        hashed.issue_id,
        hashed.cluster_id,
        hashed.content_hash,
        hashed.cluster_date,
        known.synced_at,
    from hashed
    -- What has changed since it was pushed waits again.
    left join known on hashed.issue_id = known.issue_id and hashed.content_hash = known.content_hash

)

select
    issue_id,
    cluster_id,
    content_hash,
    cluster_date,
    synced_at,
from live_issues
