{{ config(materialized='view') }}

with

problem_faults as (

    select * from {{ nearby(ref('problem_faults')) }}

),

all_problems as (

    select * from {{ nearby(ref('problems')) }}

),

-- gold.problems has only problems with a label. The board shows no others, and none with a fault.
problems as (

    select all_problems.*
    from all_problems
    anti join problem_faults on all_problems.problem_id = problem_faults.problem_id

),

problem_posts as (

    select * from {{ nearby(ref('problem_posts')) }}

),

claims as (

    select
        problem_id,
        unnest(quotes) as claim,
    from problems

),

-- Each post shows one quote. A quote about paying is preferred.
quotes as (

    select
        problem_id,
        claim['url_hash'] as url_hash,
        arg_max(claim['quote'], (claim['supports_payment'], length(claim['quote']), claim['quote'])) as quote,
        bool_or(claim['supports_payment']) as supports_payment,
    from claims
    group by all

),

fields as (

    select
        problem_posts.problem_post_id as id,
        problem_posts.problem_id as problem,
        problem_posts.url_hash,
        problem_posts.source,
        problem_posts.url,
        coalesce({{ cut('problem_posts.title', 1000) }}, '') as title,
        coalesce(problem_posts.excerpt, '') as excerpt,
        coalesce(quotes.quote, '') as quote,
        problem_posts.comment_count,
        problem_posts.vote_count,
        problem_posts.complaint_score,
        problem_posts.similarity,
        problem_posts.is_first_of_voice,
        problem_posts.is_weak,
        coalesce(quotes.supports_payment, false) as supports_payment,
        problem_posts.collection_date,
        problem_posts.posted_at,
    from problem_posts
    inner join problems on problem_posts.problem_id = problems.problem_id
    left join quotes
        on problem_posts.problem_id = quotes.problem_id and problem_posts.url_hash = quotes.url_hash

),

problem_post_records as (

    select
        id as record_id,
        problem as problem_id,
        sha256(to_json(fields)::varchar) as content_hash,
        to_json(fields) as record,
    from fields

)

select * from problem_post_records
