{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

issues as (

    select * from {{ ref('issues') }}
    where cluster_date = {{ run_date() }}

),

issue_labels as (

    select * from {{ ref('issue_labels') }}
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

posts as (

    select * from {{ ref('posts') }}
    where collection_date = {{ run_date() }}

),

claims as (

    select
        cluster_date,
        cluster_id,
        unnest(quotes) as claim,
    from issue_labels

),

-- Each post shows one quote. A quote about paying is preferred.
quotes as (

    select
        cluster_date,
        cluster_id,
        claim['url_hash'] as url_hash,
        arg_max(claim['quote'], (claim['supports_payment'], length(claim['quote']), claim['quote'])) as quote,
        bool_or(not claim['supports_payment']) as is_representative,
        bool_or(claim['supports_payment']) as supports_payment,
    from claims
    group by all

),

issue_evidence as (

    select
        {{ record_id(['issues.cluster_date', 'issues.cluster_id', 'items.url_hash']) }} as evidence_id,
        issues.issue_id,
        issues.cluster_id,
        items.url_hash,
        posts.source,
        posts.url,
        documents.redacted_title as title,
        documents.excerpt,
        documents.redacted_body as body,
        quotes.quote,
        posts.comment_count,
        posts.vote_count,
        items.similarity,
        coalesce(quotes.is_representative, false) as is_representative,
        coalesce(quotes.supports_payment, false) as supports_payment,
        issues.cluster_date,
        posts.posted_at,
    from issues
    inner join items using (cluster_date, cluster_id)
    left join quotes
        on
            issues.cluster_date = quotes.cluster_date
            and issues.cluster_id = quotes.cluster_id
            and items.url_hash = quotes.url_hash
    inner join documents on items.url_hash = documents.url_hash
    inner join posts on items.url_hash = posts.url_hash

)

select * from issue_evidence
