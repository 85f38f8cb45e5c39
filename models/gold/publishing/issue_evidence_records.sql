{{ config(materialized='view') }}

with

issue_faults as (

    select * from {{ nearby(ref('issue_faults')) }}

),

all_evidence as (

    select * from {{ nearby(ref('issue_evidence')) }}

),

-- An issue with a fault is held back.
issue_evidence as (

    select all_evidence.*
    from all_evidence
    anti join issue_faults
        on all_evidence.cluster_date = issue_faults.cluster_date and all_evidence.issue_id = issue_faults.issue_id

),

map_positions as (

    select * from {{ nearby(ref('map_positions')) }}

),

fields as (

    select
        issue_evidence.evidence_id as id,
        issue_evidence.issue_id as issue,
        issue_evidence.cluster_date,
        issue_evidence.url_hash,
        issue_evidence.source,
        issue_evidence.url,
        coalesce({{ cut('issue_evidence.title', 1000) }}, '') as title,
        coalesce(issue_evidence.excerpt, '') as excerpt,
        coalesce({{ cut_with_length('issue_evidence.body', 20000) }}, '') as body,
        coalesce(issue_evidence.quote, '') as quote,
        issue_evidence.comment_count,
        issue_evidence.vote_count,
        issue_evidence.similarity,
        map_positions.map_x,
        map_positions.map_y,
        issue_evidence.is_representative,
        issue_evidence.supports_payment,
        issue_evidence.posted_at,
    from issue_evidence
    left join map_positions on issue_evidence.url_hash = map_positions.url_hash

),

issue_evidence_records as (

    select
        id as record_id,
        issue as issue_id,
        sha256(to_json(fields)::varchar) as content_hash,
        to_json(fields) as record,
        cluster_date,
    from fields

)

select * from issue_evidence_records
