{{ config(materialized='view') }}

with

problems as (

    select * from {{ nearby(ref('problems')) }}

),

problem_posts as (

    select * from {{ nearby(ref('problem_posts')) }}

),

documents as (

    select * from {{ nearby(ref('documents')) }}

),

categories as (

    select * from {{ nearby(ref('categories')) }}

),

claims as (

    select
        problem_id,
        unnest(quotes) as claim,
    from problems

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

),

faults as (

    select
        problem_id,
        unnest({{ label_faults('title') }}) as fault,
    from problems

    union all

    select
        problem_id,
        'a number is beyond its limits' as fault,
    from problems
    where
        not isfinite(demand_score)
        or coalesce(agreement, 0) not between -0.00001 and 1.00001
        or coalesce(cohesion, 0) not between -1.00001 and 1.00001

    union all

    select
        problem_id,
        'a number of a post is beyond its limits' as fault,
    from problem_posts
    where
        coalesce(chance, 0) not between -0.00001 and 1.00001
        or coalesce(complaint_score, 0) not between -0.00001 and 1.00001
        or coalesce(similarity, 0) not between -1.00001 and 1.00001

    union all

    select
        problem_id,
        'a group of fewer voices than var problem_voices is no problem' as fault,
    from problems
    where voices < {{ var('problem_voices') }}

    union all

    -- What a problem says of its posts is what a recount finds. Posts that address a language model have no voice.
    select
        problems.problem_id,
        'its counts are not those of its posts' as fault,
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

    union all

    -- A quote stands, letter by letter, in the text of the post that it is said to be from.
    select
        claims.problem_id,
        'a quote is not in its post' as fault,
    from claims
    left join problem_posts
        on claims.problem_id = problem_posts.problem_id and claims.claim['url_hash'] = problem_posts.url_hash
    left join documents on problem_posts.url_hash = documents.url_hash
    where documents.url_hash is null or not contains(documents.text, claims.claim['quote'])

    union all

    select
        problem_id,
        'the address of a post is no web address' as fault,
    from problem_posts
    where not regexp_full_match(url, 'https?://[^/\s]+(/\S*)?')

),

problem_faults as (

    select
        faults.problem_id,
        faults.fault,
        any_value(problems.title) as title,
    from faults
    inner join problems on faults.problem_id = problems.problem_id
    where faults.fault is not null
    group by all

)

select * from problem_faults
