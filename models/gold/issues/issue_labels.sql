{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

label_requests as (

    select * from {{ ref('label_requests') }}
    where cluster_date = {{ run_date() }}

),

attempts as (

    select * from {{ ref('issue_label_attempts') }}
    where cluster_date = {{ run_date() }}

),

items as (

    select * from {{ ref('items') }}
    where cluster_date = {{ run_date() }}

),

texts as (

    select * from {{ ref('texts') }}
    where collection_date = {{ run_date() }}

),

totals as (

    select
        cluster_date,
        cluster_id,
        count(*) as attempts,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(cost_usd::decimal(18, 9))::double as cost_usd,
        arg_max(error, attempted_at) as error,
        arg_max(latency_seconds, attempted_at) as latency_seconds,
    from attempts
    group by all

),

-- A later failed attempt does not replace the label.
latest_labels as (

    {{ standing_labels(['cluster_date', 'cluster_id'], ['labelled']) }}

),

posts_now as (

    select
        items.cluster_date,
        items.cluster_id,
        items.url_hash,
        texts.text,
    from items
    inner join texts on items.url_hash = texts.url_hash

),

{{ standing_quotes('latest_labels', 'posts_now', ['cluster_date', 'cluster_id']) }},

-- A label of which no quote stands any more is of posts that have gone. The number of its cluster may be another's now.
labels as (

    select
        latest_labels.attempt_id,
        latest_labels.cluster_date,
        latest_labels.cluster_id,
        latest_labels.canonical_title,
        latest_labels.category,
        latest_labels.description,
        latest_labels.impact_level,
        latest_labels.labeler,
        latest_labels.model,
        latest_labels.prompt_version,
        latest_labels.status,
        latest_labels.latency_seconds,
        latest_labels.attempted_at,
        standing.quotes,
        latest_labels.would_pay_signal and coalesce(standing.has_payment, false) as would_pay_signal,
    from latest_labels
    left join standing using (cluster_date, cluster_id)
    where standing.quotes is not null or coalesce(len(latest_labels.quotes), 0) = 0

),

issue_labels as (

    select
        label_requests.cluster_id,
        labels.canonical_title,
        labels.category,
        labels.description,
        labels.impact_level,
        labels.labeler,
        labels.model,
        coalesce(labels.prompt_version, label_requests.prompt_version) as prompt_version,
        {{ label_state('label_requests') }},
        labels.quotes,
        coalesce(totals.attempts, 0) as attempts,
        coalesce(totals.tokens_in, 0) as tokens_in,
        coalesce(totals.tokens_out, 0) as tokens_out,
        totals.cost_usd,
        coalesce(labels.latency_seconds, totals.latency_seconds) as latency_seconds,
        labels.would_pay_signal,
        label_requests.cluster_date,
        labels.attempted_at as labelled_at,
    from label_requests
    left join totals using (cluster_date, cluster_id)
    left join labels using (cluster_date, cluster_id)

)

select * from issue_labels
