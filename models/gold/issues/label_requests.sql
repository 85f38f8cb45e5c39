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

items as (

    select * from {{ ref('items') }}
    where cluster_date = {{ run_date() }}

),

texts as (

    select * from {{ ref('texts') }}
    where collection_date = {{ run_date() }}

),

post_signals as (

    select * from {{ ref('post_signals') }}
    where collection_date = {{ run_date() }}

),

extractive_labels as (

    select * from {{ ref('extractive_labels') }}
    where cluster_date = {{ run_date() }}

),

categories as (

    select * from {{ ref('categories') }}

),

counts_by_source as (

    select
        cluster_date,
        cluster_id,
        source,
        count(*) as posts,
    from items
    group by all

),

source_counts as (

    select
        cluster_date,
        cluster_id,
        map(list(source order by source), list(posts::ubigint order by source)) as source_counts,
        string_agg(source || ' ' || posts, ', ' order by posts desc, source asc) as sources,
    from counts_by_source
    group by all

),

claims as (

    select
        cluster_date,
        cluster_id,
        unnest(quotes) as claim,
    from extractive_labels

),

-- Posts in which the built-in labeller found a payment phrase. The language model must see these phrases.
payments as (

    select
        cluster_date,
        cluster_id,
        claim['url_hash'] as url_hash,
        claim['quote'] as quote,
    from claims
    where claim['supports_payment']

),

typical as (

    select
        cluster_date,
        cluster_id,
        unnest(sampled) as url_hash,
        generate_subscripts(sampled, 1) as place,
    from summaries

),

-- Posts that address a language model are not shown to it.
candidates as (

    select
        items.cluster_date,
        items.cluster_id,
        items.url_hash,
        items.source,
        items.similarity,
        texts.text,
        payments.quote,
        typical.place,
        row_number() over (
            partition by items.cluster_date, items.cluster_id
            order by payments.quote is null, items.similarity desc, items.url_hash asc
        ) as payment_place,
    from items
    inner join texts on items.url_hash = texts.url_hash
    inner join post_signals on items.url_hash = post_signals.url_hash
    left join typical
        on
            items.cluster_date = typical.cluster_date
            and items.cluster_id = typical.cluster_id
            and items.url_hash = typical.url_hash
    left join payments
        on
            items.cluster_date = payments.cluster_date
            and items.cluster_id = payments.cluster_id
            and items.url_hash = payments.url_hash
    where items.is_core and not post_signals.addresses_model

),

-- The prompt shows ten posts: up to two that speak of paying, then the posts sampled for the summary.
chosen as (

    select
        *,
        quote is not null and payment_place <= 2 as pays,
    from candidates
    where pays or place is not null
    qualify
        row_number() over (
            partition by cluster_date, cluster_id
            order by pays desc, place asc
        ) <= 10

),

samples as (

    select
        *,
        row_number() over (
            partition by cluster_date, cluster_id
            order by similarity desc, url_hash asc
        ) as sample_number,
        {{ shown_text('text', 'quote') }} as shown_text,
    from chosen

),

sample_lists as (

    select
        cluster_date,
        cluster_id,
        {{ shown_posts() }},
    from samples
    group by all

),

system_prompts as (

    select
        {{ label_instructions(
            'posts that people wrote in public on one day and that an algorithm found similar'
        ) }}
            as system_prompt,
    from categories

),

label_requests as (

    select
        clusters.cluster_id,
        'v3' as prompt_version,
        system_prompts.system_prompt,
        'Cluster ' || clusters.cluster_id || ': ' || clusters.cluster_size || ' posts (' || source_counts.sources
        || '). The most typical of them:' || chr(10)
        || '<posts>' || chr(10) || sample_lists.shown_posts || chr(10) || '</posts>' || chr(10)
        || 'Their most central sentences:' || chr(10)
        || '<summary>' || {{ fenced("coalesce(clusters.summary, '')", 900) }} || '</summary>' as prompt,
        sample_lists.samples,
        source_counts.source_counts,
        clusters.summary,
        clusters.cluster_size,
        clusters.core_size,
        clusters.confidence,
        clusters.cluster_date,
    from clusters
    inner join source_counts using (cluster_date, cluster_id)
    left join sample_lists using (cluster_date, cluster_id)
    cross join system_prompts

)

select * from label_requests
