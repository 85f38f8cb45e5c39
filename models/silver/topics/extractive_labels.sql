{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

clusters as (

    select * from {{ ref('clusters') }}
    where cluster_date = {{ run_date() }}

),

summaries as (

    select * from {{ ref('summaries') }}
    where cluster_date = {{ run_date() }}

),

topic_titles as (

    select * from {{ ref('topic_titles') }}
    where cluster_date = {{ run_date() }}

),

items as (

    select * from {{ ref('items') }}
    where cluster_date = {{ run_date() }}

),

post_signals as (

    select * from {{ ref('post_signals') }}
    where collection_date = {{ run_date() }}

),

posts as (

    select
        items.cluster_date,
        items.cluster_id,
        items.url_hash,
        items.similarity,
        post_signals.category_probabilities,
        post_signals.impact_probabilities,
        post_signals.payment_quote,
    from items
    inner join post_signals on items.url_hash = post_signals.url_hash
    where items.is_core

),

features as (

    select
        cluster_date,
        cluster_id,
        count(*) as posts,
        count(payment_quote) as would_pay_posts,
        count(payment_quote) / count(*) as would_pay_share,
        list(
            { 'url_hash': url_hash, 'quote': payment_quote, 'supports_payment': true }
            order by similarity desc, url_hash asc
        ) filter (where payment_quote is not null)[:5] as payments,
    from posts
    group by all

),

{{ elected('posts', ['cluster_date', 'cluster_id']) }},

scored as (

    select
        *,
        {{ enough_pay('would_pay_posts', 'posts') }} as would_pay_signal,
    from features

),

titled as (

    select
        summaries.cluster_date,
        summaries.cluster_id,
        summaries.sentences,
        topic_titles.titles,
    from summaries
    inner join topic_titles using (cluster_date, cluster_id)

),

-- The summary may have the title as a sentence.
told as (

    select
        cluster_date,
        cluster_id,
        list_filter(
            sentences,
            lambda each: rtrim(each['sentence'], '.') <> rtrim(titles[1]['quote'], '.')
        ) as sentences,
    from titled

),

descriptions as (

    select
        cluster_date,
        cluster_id,
        sentences[1]['sentence'] as description,
        list_transform(
            sentences,
            lambda each: { 'url_hash': each['url_hash'], 'quote': each['sentence'], 'supports_payment': false }
        ) as quotes,
    from told

),

extractive_labels as (

    select
        clusters.cluster_id,
        {{ cut("topic_titles.titles[1]['title']", 120) }} as canonical_title,
        elected.category,
        coalesce(descriptions.description, topic_titles.titles[1]['title']) as description,
        elected.impact_level,
        list_concat(
            {{ title_quotes('topic_titles.titles[:1]') }},
            descriptions.quotes,
            if(scored.would_pay_signal, scored.payments, [])
        ) as quotes,
        elected.category_probability,
        elected.impact_probability,
        scored.would_pay_posts,
        scored.would_pay_share,
        scored.would_pay_signal,
        clusters.cluster_date,
    from clusters
    inner join topic_titles using (cluster_date, cluster_id)
    inner join scored using (cluster_date, cluster_id)
    inner join descriptions using (cluster_date, cluster_id)
    inner join elected using (cluster_date, cluster_id)

)

select * from extractive_labels
