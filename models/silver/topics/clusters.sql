{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='cluster_date') }}

with

items as (

    select * from {{ ref('items') }}
    where cluster_date = {{ run_date() }}

),

summaries as (

    select * from {{ ref('summaries') }}
    where cluster_date = {{ run_date() }}

),

core_items as (

    select * from items
    where is_core

),

{{ centroids('core_items', ['cluster_date', 'cluster_id']) }},

sizes as (

    select
        cluster_date,
        cluster_id,
        count(*) as cluster_size,
    from items
    group by all

),

core_sizes as (

    select
        cluster_date,
        cluster_id,
        count(*) as core_size,
        -- The simplified silhouette (Hruschka et al. 2004) uses distances to centroids, and not distances of all pairs.
        avg(
            ((similarity - runner_up_similarity) / (1.000001 - least(similarity, runner_up_similarity)))::decimal(10, 8)
        ) as silhouette,
    from core_items
    group by all

),

clusters as (

    select
        sizes.cluster_id,
        summaries.summary,
        sizes.cluster_size,
        core_sizes.core_size,
        -- The mean cosine of all pairs of n unit vectors follows from the length of their mean. One post has no pairs.
        case
            when core_sizes.core_size > 1
                then (
                    core_sizes.core_size * array_inner_product(centroids.centroid, centroids.centroid)::double - 1
                ) / (core_sizes.core_size - 1)
            else 0
        end as cohesion,
        -- The only cluster of a day has no neighbour, so its silhouette is 1.
        coalesce(core_sizes.silhouette, 1)::double as silhouette,
        -- Cohesion weighs more than separation, because a topic that k-means splits into two clusters is still good.
        least(greatest((cohesion + 0.5 * silhouette) / 1.5, 0), 1) as confidence,
        centroids.centroid,
        sizes.cluster_date,
    from sizes
    inner join core_sizes using (cluster_date, cluster_id)
    inner join centroids using (cluster_date, cluster_id)
    left join summaries using (cluster_date, cluster_id)

)

select * from clusters
