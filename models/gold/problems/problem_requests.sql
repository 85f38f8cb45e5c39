{{ config(materialized='table') }}

with

problem_candidates as (

    select * from {{ ref('problem_candidates') }}

),

problem_voices as (

    select * from {{ ref('problem_voices') }}

),

texts as (

    select * from {{ ref('texts') }}

),

categories as (

    select * from {{ ref('categories') }}

),

corrections as (

    select * from {{ ref('corrections') }}

),

voice_counts as (

    select
        problem_id,
        count(*) as voices,
    from problem_voices
    group by all

),

problems as (

    select
        problem_candidates.problem_id,
        voice_counts.voices,
        list(problem_candidates.url_hash order by problem_candidates.url_hash) as url_hashes,
        max(problem_candidates.collection_date) as last_seen,
    from problem_candidates
    inner join voice_counts on problem_candidates.problem_id = voice_counts.problem_id
    where
        voice_counts.voices >= {{ var('problem_voices') }}
        -- Nobody needs a label for what a person has dismissed.
        and problem_candidates.problem_id not in (
            select corrections.problem_id from corrections
            where corrections.kind = 'dismiss'
        )
    group by all

),

ranked as (

    select
        problem_voices.*,
        texts.text,
        row_number() over (
            partition by problem_voices.problem_id
            order by problem_voices.payment_quote is null, problem_voices.similarity desc, problem_voices.url_hash asc
        ) as payment_place,
        row_number() over (
            partition by problem_voices.problem_id
            order by problem_voices.similarity desc, problem_voices.url_hash asc
        ) as place,
    from problem_voices
    inner join texts on problem_voices.url_hash = texts.url_hash

),

-- The prompt shows thirty posts: up to two that speak of paying, then the most central posts. A language model can find
-- strays only among the posts that it sees.
chosen as (

    select * from ranked
    qualify row_number() over (
        partition by problem_id
        order by payment_quote is not null and payment_place <= 2 desc, place asc
    ) <= 30

),

samples as (

    select
        *,
        row_number() over (
            partition by problem_id
            order by similarity desc, url_hash asc
        ) as sample_number,
        {{ shown_text('text', 'payment_quote') }} as shown_text,
    from chosen

),

prompts as (

    select
        problem_id,
        {{ shown_posts() }},
    from samples
    group by all

),

instructions as (

    select
        {{ label_instructions(
            'posts that people wrote in public over some days and that an algorithm took for complaints of the same'
        ) }}
            as system_prompt,
    from categories

),

problem_requests as (

    select
        problems.problem_id,
        row_number() over (order by problems.voices desc, problems.problem_id asc)::int as question_number,
        'v3' as prompt_version,
        instructions.system_prompt,
        'Cluster ' || question_number || ': ' || problems.voices || ' people. Posts of theirs:' || chr(10)
        || '<posts>' || chr(10) || prompts.shown_posts || chr(10) || '</posts>' as prompt,
        prompts.samples,
        problems.url_hashes,
        problems.voices,
        problems.last_seen,
    from problems
    cross join instructions
    left join prompts on problems.problem_id = prompts.problem_id

)

select * from problem_requests
