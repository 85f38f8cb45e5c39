{{ config(materialized='table') }}

with

problem_candidates as (

    select * from {{ ref('problem_candidates') }}

),

problem_strays as (

    select * from {{ ref('problem_strays') }}

),

-- A group is a problem while enough voices are left in it. A post that addresses a language model is no voice.
problem_posts as (

    select problem_candidates.*
    from problem_candidates
    anti join problem_strays
        on
            problem_candidates.problem_id = problem_strays.problem_id
            and problem_candidates.voice = problem_strays.voice
    qualify count(*) filter (
        where problem_candidates.is_first_of_voice and problem_candidates.addresses_model is not true
    ) over (partition by problem_candidates.problem_id) >= {{ var('problem_voices') }}

)

select * from problem_posts
