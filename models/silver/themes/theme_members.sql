{{ config(materialized='view') }}

with

theme_assignments as (

    select * from {{ nearby(ref('theme_assignments')) }}

),

standing as (

    select * from theme_assignments
    qualify row_number() over (
        partition by url_hash
        order by as_of_date desc
    ) = 1

),

latest as (

    select max(collection_date) as latest_date
    from theme_assignments

),

-- A theme is forgotten once it has no post for so long.
theme_members as (

    select
        standing.url_hash,
        standing.theme_id,
        standing.voice,
        standing.as_of_date,
        standing.collection_date,
    from standing
    cross join latest
    where standing.theme_id is not null
    qualify
        max(standing.collection_date) over (partition by standing.theme_id)
        > latest.latest_date - {{ var('problem_memory_days') }}

)

select * from theme_members
