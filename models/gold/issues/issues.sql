{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

issue_labels as (

    select * from {{ ref('issue_labels') }}
    where cluster_date = {{ run_date() }} and status = 'labelled'

),

label_requests as (

    select * from {{ ref('label_requests') }}
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

complaint_counts as (

    select
        items.cluster_date,
        items.cluster_id,
        count(*) filter (where documents.complaint_score >= {{ var('complaint_threshold') }}) as complaints,
        -- The complaint score calls some posts complaints that are none, so hardly a topic has no complaint at all.
        complaints < 0.2 * count(*) as without_complaints,
    from items
    inner join documents on items.url_hash = documents.url_hash
    group by all

),

issues as (

    select
        {{ record_id(['issue_labels.cluster_date', 'issue_labels.cluster_id']) }} as issue_id,
        issue_labels.cluster_id,
        issue_labels.canonical_title,
        issue_labels.category,
        issue_labels.description,
        issue_labels.impact_level,
        issue_labels.labeler,
        label_requests.source_counts,
        label_requests.cluster_size,
        label_requests.confidence,
        complaint_counts.complaints,
        row_number() over (
            partition by issue_labels.cluster_date
            order by
                complaint_counts.without_complaints asc,
                -- An impact that is not known may be any.
                list_position(['high', 'medium', 'low'], coalesce(issue_labels.impact_level, 'medium')) asc,
                issue_labels.would_pay_signal desc,
                label_requests.core_size * label_requests.confidence desc,
                issue_labels.cluster_id asc
        ) as day_rank,
        issue_labels.would_pay_signal,
        complaint_counts.without_complaints,
        issue_labels.cluster_date,
    from issue_labels
    inner join label_requests using (cluster_date, cluster_id)
    inner join complaint_counts using (cluster_date, cluster_id)

)

select * from issues
