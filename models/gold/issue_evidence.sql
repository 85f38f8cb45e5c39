{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

issues as (

    select * from {{ ref('issues') }}
    where cluster_date = {{ run_date() }}

),

items as (

    select * from {{ ref('items') }}
    where cluster_date = {{ run_date() }}

),

documents as (

    select * from {{ ref('documents') }}
    where collection_date = {{ run_date() }}

),

raw_items as (

    select * from {{ source('bronze', 'raw_items') }}
    where collection_date = {{ run_date() }}

),

issue_evidence as (

    select
        {{ record_id(['issues.cluster_date', 'issues.cluster_id', 'items.url_hash']) }} as evidence_id,
        issues.issue_id,
        issues.cluster_id,
        items.url_hash,
        raw_items.source,
        raw_items.url,
        documents.redacted_title as title,
        documents.excerpt,
        documents.redacted_body as body,
        raw_items.comment_count,
        raw_items.vote_count,
        items.similarity,
        issues.cluster_date,
        raw_items.created_at as posted_at,
    from issues
    inner join items using (cluster_date, cluster_id)
    inner join documents on items.url_hash = documents.url_hash
    inner join raw_items on items.url_hash = raw_items.url_hash

)

select
    evidence_id,
    issue_id,
    cluster_id,
    url_hash,
    source,
    url,
    title,
    excerpt,
    body,
    comment_count,
    vote_count,
    similarity,
    cluster_date,
    posted_at,
from issue_evidence
