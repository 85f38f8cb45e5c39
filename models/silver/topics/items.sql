{{ config(materialized='view') }}

with

texts as (

    select * from {{ nearby(ref('texts')) }}

),

duplicates as (

    select * from {{ nearby(ref('duplicates')) }}

),

post_signals as (

    select * from {{ nearby(ref('post_signals')) }}

),

embeddings as (

    select * from {{ nearby(ref('embeddings')) }}
    where model = '{{ var("embedding_model") }}'

),

cluster_assignments as (

    select * from {{ nearby(ref('cluster_assignments')) }}

),

placed as (

    select
        texts.url_hash,
        texts.source,
        duplicates.duplicate_of,
        cluster_assignments.cluster_id,
        cluster_assignments.similarity,
        cluster_assignments.runner_up_similarity,
        embeddings.embedding,
        cluster_assignments.is_outlier,
        -- is_outlier is null for assignments from before this column existed.
        duplicates.duplicate_of is null
        and not coalesce(post_signals.addresses_model, false)
        and not coalesce(cluster_assignments.is_outlier, false) as has_a_say,
        embeddings.embedding_date,
        cluster_assignments.cluster_date,
    from texts
    left join duplicates on texts.url_hash = duplicates.url_hash
    left join post_signals on texts.url_hash = post_signals.url_hash
    left join embeddings on texts.content_hash = embeddings.content_hash
    left join cluster_assignments on texts.url_hash = cluster_assignments.url_hash

),

items as (

    select
        url_hash,
        source,
        duplicate_of,
        cluster_id,
        similarity,
        runner_up_similarity,
        embedding,
        is_outlier,
        -- If no post of a cluster qualifies as core, all its posts count.
        has_a_say or not bool_or(has_a_say) over (partition by cluster_date, cluster_id) as is_core,
        embedding_date,
        cluster_date,
    from placed

)

select * from items
