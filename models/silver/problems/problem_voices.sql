{{ config(materialized='view') }}

with

problem_candidates as (

    select * from {{ nearby(ref('problem_candidates')) }}

),

problem_voices as (

    select
        problem_id,
        voice,
        url_hash,
        source,
        payment_quote,
        similarity,
    from problem_candidates
    where
        is_first_of_voice
        and addresses_model is not true

)

select * from problem_voices
