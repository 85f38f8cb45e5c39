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

components as (

    select
        cluster_date,
        cluster_id,
        -- Decimals add up to the same sum in whatever order the threads meet them; floats do not.
        unnest(embedding)::decimal(10, 8) as component,
        generate_subscripts(embedding, 1) as dimension,
    from items

),

means as (

    select
        cluster_date,
        cluster_id,
        dimension,
        avg(component) as component,
    from components
    group by all

),

centroids as (

    select
        cluster_date,
        cluster_id,
        list(component order by dimension)::float[384] as centroid,
    from means
    group by all

),

neighbours as (

    select
        centroids.cluster_date,
        centroids.cluster_id,
        max(array_cosine_similarity(centroids.centroid, other_centroids.centroid)) as nearest_similarity,
    from centroids
    inner join centroids as other_centroids
        on centroids.cluster_date = other_centroids.cluster_date and centroids.cluster_id != other_centroids.cluster_id
    group by all

),

sizes as (

    select
        cluster_date,
        cluster_id,
        count(*) as cluster_size,
        avg(similarity::decimal(10, 8)) as cohesion,
    from items
    group by all

),

clusters as (

    select
        sizes.cluster_id,
        summaries.summary,
        sizes.cluster_size,
        sizes.cohesion,
        -- A cluster that is alone in its day is separated from nothing.
        coalesce(1 - neighbours.nearest_similarity, 1) as separation,
        greatest(sizes.cohesion * (1 - power(coalesce(neighbours.nearest_similarity, 0), 2)), 0) as confidence,
        centroids.centroid,
        sizes.cluster_date,
    from sizes
    inner join centroids using (cluster_date, cluster_id)
    left join neighbours using (cluster_date, cluster_id)
    left join summaries using (cluster_date, cluster_id)

)

select * from clusters
