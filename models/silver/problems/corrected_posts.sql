{{ config(materialized='view') }}

with

corrections as (

    select * from {{ nearby(ref('corrections')) }}

),

-- The posts that a correction names, and the posts that it leaves where they are.
placed as (

    select
        correction_id,
        unnest(posts) as url_hash,
        if(kind = 'split', other_problem_id, problem_id) as problem_id,
        as_of_date,
    from corrections

    union all

    select
        correction_id,
        unnest(kept_posts) as url_hash,
        problem_id,
        as_of_date,
    from corrections

),

corrected_posts as (

    select
        correction_id,
        url_hash,
        problem_id,
        as_of_date,
    from placed

)

select * from corrected_posts
