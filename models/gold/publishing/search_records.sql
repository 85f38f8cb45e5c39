{{ config(materialized='view') }}

with

problem_searches as (

    select * from {{ nearby(ref('problem_searches')) }}

),

fields as (

    select
        {{ record_id(['search_date']) }} as id,
        search_date,
        tier,
        nearest_groups,
        advice,
        posts,
        complaints,
        source_count,
        window_posts,
        window_complaints,
        window_days,
        near_pairs,
        problems,
        least_voices,
        longest_window,
        least_chance,
    from problem_searches

),

search_records as (

    select
        id as record_id,
        sha256(to_json(fields)::varchar) as content_hash,
        to_json(fields) as record,
        search_date,
    from fields

)

select * from search_records
