{{ config(materialized='table') }}

with

problem_candidates as (

    select * from {{ ref('problem_candidates') }}

),

problem_strays as (

    select * from {{ ref('problem_strays') }}

),

program_posts as (

    select * from {{ ref('program_posts') }}

),

-- A group is a problem as long as enough voices are left. A post that addresses a language model is not a voice.
problem_posts as (

    select
        problem_candidates.problem_post_id,
        problem_candidates.problem_id,
        problem_candidates.url_hash,
        problem_candidates.voice,
        problem_candidates.chance,
        problem_candidates.source,
        problem_candidates.url,
        problem_candidates.title,
        problem_candidates.excerpt,
        problem_candidates.payment_quote,
        problem_candidates.comment_count,
        problem_candidates.vote_count,
        problem_candidates.complaint_score,
        problem_candidates.similarity,
        problem_candidates.is_first_of_voice,
        problem_candidates.addresses_model,
        program_posts.url_hash is not null as is_from_program,
        coalesce(problem_candidates.complaint_score < {{ var('complaint_threshold') }}, false) as is_weak,
        problem_candidates.collection_date,
        problem_candidates.posted_at,
    from problem_candidates
    anti join problem_strays
        on
            problem_candidates.problem_id = problem_strays.problem_id
            and problem_candidates.voice = problem_strays.voice
    left join program_posts on problem_candidates.url_hash = program_posts.url_hash
    qualify count(*) filter (
        where problem_candidates.is_first_of_voice and problem_candidates.addresses_model is not true
    ) over (partition by problem_candidates.problem_id) >= {{ var('problem_voices') }}

)

select * from problem_posts
