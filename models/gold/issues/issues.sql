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
        row_number() over (
            partition by issue_labels.cluster_date
            order by
                list_position(['high', 'medium', 'low'], issue_labels.impact_level) asc,
                issue_labels.would_pay_signal desc,
                label_requests.core_size * label_requests.confidence desc,
                issue_labels.cluster_id asc
        ) as day_rank,
        issue_labels.would_pay_signal,
        issue_labels.cluster_date,
    from issue_labels
    inner join label_requests using (cluster_date, cluster_id)

)

select * from issues
