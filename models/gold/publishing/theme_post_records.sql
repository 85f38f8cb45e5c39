{{ config(materialized='view') }}

with

theme_posts as (

    select * from {{ nearby(ref('theme_posts')) }}

),

problem_faults as (

    select * from {{ nearby(ref('problem_faults')) }}

),

all_problems as (

    select * from {{ nearby(ref('problems')) }}

),

-- A problem with a fault is not on the board.
problems as (

    select all_problems.*
    from all_problems
    anti join problem_faults on all_problems.problem_id = problem_faults.problem_id

),

fields as (

    select
        theme_posts.theme_post_id as id,
        theme_posts.theme_id as theme,
        coalesce(problems.problem_id, '') as problem,
        theme_posts.url_hash,
        theme_posts.source,
        theme_posts.url,
        coalesce({{ cut('theme_posts.title', 1000) }}, '') as title,
        coalesce(theme_posts.excerpt, '') as excerpt,
        coalesce({{ cut('theme_posts.payment_quote', 1000) }}, '') as quote,
        theme_posts.comment_count,
        theme_posts.vote_count,
        theme_posts.complaint_score,
        theme_posts.similarity,
        theme_posts.is_first_of_voice,
        theme_posts.payment_quote is not null as supports_payment,
        theme_posts.collection_date,
        theme_posts.posted_at,
    from theme_posts
    left join problems on theme_posts.problem_id = problems.problem_id

),

theme_post_records as (

    select
        id as record_id,
        theme as theme_id,
        sha256(to_json(fields)::varchar) as content_hash,
        to_json(fields) as record,
    from fields

)

select * from theme_post_records
