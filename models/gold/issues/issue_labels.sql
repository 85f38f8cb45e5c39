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
labels as (

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

{{ standing_quotes('labels', 'posts_now', ['cluster_date', 'cluster_id']) }},

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
        if(labels.quotes is null, null, coalesce(standing.quotes, [])) as quotes,
        coalesce(totals.attempts, 0) as attempts,
        coalesce(totals.tokens_in, 0) as tokens_in,
        coalesce(totals.tokens_out, 0) as tokens_out,
        totals.cost_usd,
        coalesce(labels.latency_seconds, totals.latency_seconds) as latency_seconds,
        if(labels.would_pay_signal, coalesce(standing.has_payment, false), labels.would_pay_signal) as would_pay_signal,
        label_requests.cluster_date,
        labels.attempted_at as labelled_at,
    from label_requests
    left join totals using (cluster_date, cluster_id)
    left join labels using (cluster_date, cluster_id)
    left join standing using (cluster_date, cluster_id)

)

select * from issue_labels
