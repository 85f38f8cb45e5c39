-- What a problem says of its posts is what a recount of gold.problem_posts finds; posts that address a language model
-- have no voice. Voices of the two halves of the window are voices of the problem.
with

problems as (

    select * from {{ ref('problems') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

recounts as (

    select
        problem_id,
        count(distinct url_hash) as post_count,
        count(distinct source) as source_count,
        count(distinct collection_date) as days_seen,
        count(distinct voice) filter (where addresses_model is not true) as voices,
        count(distinct voice) filter (
            where addresses_model is not true and payment_quote is not null
        ) as paying_voices,
        min(collection_date) as first_seen,
        max(collection_date) as last_seen,
    from problem_posts
    group by all

)

select
    problems.problem_id,
    problems.voices,
    recounts.voices as recounted_voices,
from problems
left join recounts on problems.problem_id = recounts.problem_id
where
    problems.post_count is distinct from recounts.post_count
    or problems.source_count is distinct from recounts.source_count
    or problems.days_seen is distinct from recounts.days_seen
    or problems.voices is distinct from recounts.voices
    or problems.paying_voices is distinct from recounts.paying_voices
    or problems.first_seen is distinct from recounts.first_seen
    or problems.last_seen is distinct from recounts.last_seen
    or problems.recent_voices + problems.earlier_voices > problems.voices
