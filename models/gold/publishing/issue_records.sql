{{ config(materialized='view') }}

with

issue_faults as (

    select * from {{ nearby(ref('issue_faults')) }}

),

all_issues as (

    select * from {{ nearby(ref('issues')) }}

),

-- An issue with a fault is held back.
issues as (

    select all_issues.*
    from all_issues
    anti join issue_faults
        on all_issues.cluster_date = issue_faults.cluster_date and all_issues.issue_id = issue_faults.issue_id

),

issue_evidence_records as (

    select * from {{ nearby(ref('issue_evidence_records')) }}

),

evidence_hashes as (

    select
        cluster_date,
        issue_id,
        string_agg(content_hash, '' order by record_id) as all_hashes,
    from issue_evidence_records
    group by all

),

fields as (

    select
        issue_id as id,
        cluster_date,
        cluster_id,
        day_rank,
        canonical_title,
        category,
        description,
        would_pay_signal,
        impact_level,
        cluster_size,
        confidence,
        complaints,
        without_complaints,
        source_counts,
        labeler,
    from issues

),

records as (

    select
        *,
        to_json(fields) as record,
    from fields

),

issue_records as (

    select
        records.id as record_id,
        sha256(records.record::varchar || coalesce(evidence_hashes.all_hashes, '')) as content_hash,
        records.record,
        records.cluster_id,
        records.day_rank as push_rank,
        records.cluster_date,
    from records
    -- With the date in the join, a query for one day hashes the evidence of that day only.
    left join evidence_hashes
        on records.cluster_date = evidence_hashes.cluster_date and records.id = evidence_hashes.issue_id

)

select * from issue_records
