{{ config(materialized='table') }}

-- The fewest sequences of an own passage: less is a name or another word that stands in a template.
{% set least_passage = 5 %}
-- The fewest sequences besides the common ones that say something.
{% set least_sequences = 8 %}

with

problem_posts as (

    select * from {{ ref('problem_posts') }}
    where addresses_model is not true

),

posts as (

    select * from {{ ref('posts') }}

),

wordings as (

    select * from {{ ref('wordings') }}

),

copy_limits as (

    select * from {{ ref('copy_limits') }}

),

accounts as (

    select
        author_hash,
        min(collection_date) as first_date,
    from posts
    where author_hash is not null
    group by all

),

worded as (

    select
        problem_posts.problem_id,
        problem_posts.url_hash,
        problem_posts.voice,
        bool_and(problem_posts.is_weak) over (
            partition by problem_posts.problem_id, problem_posts.voice
        ) as is_weak,
        -- Nobody knows another post of an unknown author. A number, because the hashes of authors stay in bronze.
        dense_rank() over (
            partition by problem_posts.problem_id
            order by coalesce(posts.author_hash, problem_posts.url_hash)
        ) as author_number,
        accounts.first_date = problem_posts.collection_date as is_new_account,
        -- Two people may write the same short post.
        coalesce(len(wordings.sequences), 0) > 1 as is_comparable,
        count(*) over (
            partition by problem_posts.problem_id
            order by problem_posts.posted_at
            range between current row and interval '59 minutes 59 seconds' following
        ) as posts_in_hour,
        row_number() over (
            partition by problem_posts.problem_id, problem_posts.voice
            order by problem_posts.posted_at, problem_posts.url_hash
        ) = 1 as is_first,
        wordings.sequences,
        problem_posts.collection_date,
        problem_posts.posted_at,
    from problem_posts
    inner join posts on problem_posts.url_hash = posts.url_hash
    left join accounts on posts.author_hash = accounts.author_hash
    left join wordings on problem_posts.url_hash = wordings.url_hash

),

voices as (

    select
        problem_id,
        count(*) as voices,
    from worded
    where is_first
    group by all

),

said as (

    select
        problem_id,
        voice,
        unnest(sequences) as three_words,
        generate_subscripts(sequences, 1) as place,
    from worded
    where is_first

),

counted as (

    select
        problem_id,
        three_words,
        count(distinct voice) as voices_with_it,
    from said
    group by all

),

compared as (

    select
        said.problem_id,
        said.voice,
        said.place,
        counted.voices_with_it > 1 as is_shared,
        -- What so many voices have, a program wrote: an error message that people paste, or a form that they fill in.
        counted.voices_with_it > greatest(copy_limits.common * voices.voices, 1) as is_common,
    from said
    inner join counted on said.problem_id = counted.problem_id and said.three_words = counted.three_words
    inner join voices on said.problem_id = voices.problem_id
    cross join copy_limits

),

-- Consecutive sequences of a voice have the same passage if all of them are shared or none of them is.
passages as (

    select
        *,
        place - row_number() over (
            partition by problem_id, voice, is_shared
            order by place
        ) as passage,
    from compared

),

owned as (

    select
        problem_id,
        voice,
        is_shared,
        is_common,
        not is_shared
        and count(*) over (partition by problem_id, voice, is_shared, passage) >= {{ least_passage }} as is_own,
    from passages

),

-- Most of the words are those of others, and most of what is left without the common words is not in own passages.
borrowed as (

    select
        owned.problem_id,
        owned.voice,
    from owned
    cross join copy_limits
    group by all
    having
        avg(owned.is_shared::int) >= any_value(copy_limits.borrowed)
        and (
            count(*) filter (where not owned.is_common) < {{ least_sequences }}
            or avg((not owned.is_own)::int) filter (where not owned.is_common) >= any_value(copy_limits.borrowed)
        )

),

heard as (

    select
        worded.*,
        worded.is_first
        and (
            borrowed.voice is null
            or row_number() over (
                partition by worded.problem_id, worded.is_first, borrowed.voice is null
                order by worded.posted_at, worded.url_hash
            ) = 1
        ) as is_wording,
    from worded
    left join borrowed on worded.problem_id = borrowed.problem_id and worded.voice = borrowed.voice

),

problem_wordings as (

    select
        problem_id,
        url_hash,
        voice,
        author_number,
        is_new_account,
        is_comparable,
        is_wording,
        -- Short posts, and posts that hardly complain, are too cheap to make an hour urgent.
        is_wording and is_comparable and is_weak is not true as is_full_wording,
        posts_in_hour,
        count(*) filter (where is_full_wording) over (
            partition by problem_id
            order by posted_at
            range between current row and interval '59 minutes 59 seconds' following
        ) as wordings_in_hour,
        collection_date,
        posted_at,
    from heard

)

select * from problem_wordings
