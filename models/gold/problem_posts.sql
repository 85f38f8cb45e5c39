{{ config(materialized='table') }}

with

problem_candidates as (

    select * from {{ ref('problem_candidates') }}

),

problem_labels as (

    select * from {{ ref('problem_labels') }}

),

mixed as (

    select problem_id
    from problem_labels
    where status = 'mixed'

),

strays as (

    select
        problem_id,
        unnest(strays) as url_hash,
    from problem_labels

),

-- Where the first post of a voice has another problem, its later ones have, too.
stray_voices as (

    select distinct
        problem_candidates.problem_id,
        problem_candidates.voice,
    from problem_candidates
    inner join strays
        on problem_candidates.problem_id = strays.problem_id and problem_candidates.url_hash = strays.url_hash

),

problem_posts as (

    select problem_candidates.*
    from problem_candidates
    anti join stray_voices
        on
            problem_candidates.problem_id = stray_voices.problem_id
            and problem_candidates.voice = stray_voices.voice
    anti join mixed on problem_candidates.problem_id = mixed.problem_id

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
