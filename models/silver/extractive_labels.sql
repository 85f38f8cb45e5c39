{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

clusters as (

    select * from {{ ref('clusters') }}
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

categories as (

    select * from {{ ref('categories') }}

),

embeddings as (

    select * from {{ ref('embeddings') }}
    where model = '{{ var("embedding_model") }}'

),

label_signals as (

    select * from {{ ref('label_signals') }}

),

-- One pattern a signal, so that each post is read twice and not once a pattern.
signals as (

    select
        string_agg(pattern, '|') filter (where signal = 'would_pay') as would_pay,
        string_agg(pattern, '|') filter (where signal = 'severity') as severity,
    from label_signals

),

posts as (

    select
        items.cluster_id,
        items.url_hash,
        coalesce(nullif(documents.title, ''), documents.text) as title,
        items.similarity,
        -- Sources count differently: ten comments are many on one and few on another.
        percent_rank() over (
            partition by items.source
            order by coalesce(raw_items.comment_count, 0) + greatest(coalesce(raw_items.vote_count, 0), 0)
        ) as engagement,
        regexp_matches(documents.text, signals.would_pay, 'i')::int as would_pay,
        regexp_matches(documents.text, signals.severity, 'i')::int as severe,
        items.cluster_date,
    from items
    inner join documents on items.url_hash = documents.url_hash
    inner join raw_items on items.url_hash = raw_items.url_hash
    cross join signals
    -- Ranks are among all of a source's posts; only core posts have a say.
    qualify items.is_core

),

features as (

    select
        cluster_date,
        cluster_id,
        -- A title of a word or two names no problem, however near the centre it stands.
        arg_max(title, (length(title) >= 15, similarity, url_hash)) as title,
        sum(would_pay) as would_pay_posts,
        avg(would_pay) as would_pay_share,
        avg(severe) as severity_share,
        -- As a decimal, since the sum of floats depends on the order in which threads meet them.
        avg(engagement::decimal(10, 8)) as engagement,
    from posts
    group by all

),

nearest_categories as (

    select
        clusters.cluster_date,
        clusters.cluster_id,
        arg_max(categories.category, array_cosine_similarity(clusters.centroid, embeddings.embedding)) as category,
        max(array_cosine_similarity(clusters.centroid, embeddings.embedding)) as category_similarity,
    from clusters
    cross join categories
    inner join embeddings on sha256(categories.description) = embeddings.content_hash
    group by all

),

scored as (

    select
        *,
        0.6 * least(severity_share / 0.3, 1) + 0.4 * engagement as impact_score,
    from features

),

extractive_labels as (

    select
        clusters.cluster_id,
        {{ cut('scored.title', 120) }} as canonical_title,
        -- Nearer to nothing than unrelated texts are to each other: none of the categories.
        case
            when nearest_categories.category_similarity < 0.2 then 'other' else nearest_categories.category
        end as category,
        coalesce(nullif(clusters.summary, ''), scored.title) as description,
        case
            when scored.impact_score >= 0.6 then 'high'
            when scored.impact_score >= 0.35 then 'medium'
            else 'low'
        end as impact_level,
        nearest_categories.category_similarity,
        scored.would_pay_posts,
        scored.would_pay_share,
        scored.severity_share,
        scored.engagement,
        scored.impact_score,
        scored.would_pay_posts >= 3 or scored.would_pay_share >= 0.1 as would_pay_signal,
        clusters.cluster_date,
    from clusters
    inner join scored using (cluster_date, cluster_id)
    inner join nearest_categories using (cluster_date, cluster_id)

)

select * from extractive_labels
