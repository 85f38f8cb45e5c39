{{ config(materialized='table') }}

with

problem_candidates as (

    select * from {{ ref('problem_candidates') }}

),

problem_strays as (

    select * from {{ ref('problem_strays') }}

),

-- Three voices make a problem, and it is none while fewer have it. What speaks to a language model has none.
problem_posts as (

    select problem_candidates.*
    from problem_candidates
    anti join problem_strays
        on
            problem_candidates.problem_id = problem_strays.problem_id
            and problem_candidates.voice = problem_strays.voice
    qualify count(*) filter (
        where problem_candidates.is_first_of_voice and problem_candidates.addresses_model is not true
    ) over (partition by problem_candidates.problem_id) >= 3

)

select
    problem_post_id,
    problem_id,
    url_hash,
    voice,
    source,
    url,
    title,
    excerpt,
    payment_quote,
    comment_count,
    vote_count,
    complaint_score,
    similarity,
    is_first_of_voice,
    addresses_model,
    collection_date,
    posted_at,
from problem_posts
