{{ config(materialized='view') }}

with

problem_posts as (

    select * from {{ nearby(ref('problem_posts')) }}
    where addresses_model is not true

),

posts as (

    select * from {{ nearby(ref('posts')) }}

),

wordings as (

    select * from {{ nearby(ref('wordings')) }}

),

copy_limits as (

    select * from {{ nearby(ref('copy_limits')) }}

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
        problem_posts.posted_at,
    from problem_posts
    inner join posts on problem_posts.url_hash = posts.url_hash
    left join accounts on posts.author_hash = accounts.author_hash
    left join wordings on problem_posts.url_hash = wordings.url_hash

),

said as (

    select
        problem_id,
        voice,
        unnest(sequences) as three_words,
    from worded
    where is_first

),

shared as (

    select
        problem_id,
        voice,
        -- A voice has each of its sequences once.
        count(*) over (partition by problem_id, three_words) > 1 as is_shared,
    from said

),

borrowed as (

    select
        shared.problem_id,
        shared.voice,
    from shared
    cross join copy_limits
    group by all
    having avg(shared.is_shared::int) >= any_value(copy_limits.borrowed)

),

problem_wordings as (

    select
        worded.problem_id,
        worded.url_hash,
        worded.voice,
        worded.author_number,
        worded.is_new_account,
        worded.is_comparable,
        worded.is_first
        and (
            borrowed.voice is null
            or row_number() over (
                partition by worded.problem_id, worded.is_first, borrowed.voice is null
                order by worded.posted_at, worded.url_hash
            ) = 1
        ) as is_wording,
        worded.posts_in_hour,
    from worded
    left join borrowed on worded.problem_id = borrowed.problem_id and worded.voice = borrowed.voice

)

select * from problem_wordings
