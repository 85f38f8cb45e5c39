{{ config(materialized='table') }}

with

mentions as (

    select * from {{ ref('mentions') }}

),

watchlist as (

    select * from {{ ref('watchlist') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

-- A post that addresses a language model is no voice of its problem.
heard as (

    select *
    from problem_posts
    where addresses_model is not true

),

voice_counts as (

    select
        problem_id,
        count(distinct voice) as voices,
    from heard
    group by all

),

problem_mentions as (

    select
        heard.problem_id,
        mentions.name,
        watchlist.side,
        watchlist.position,
        count(*) as posts,
        count(distinct heard.voice) as voices,
        count(distinct heard.voice) / any_value(voice_counts.voices) as share_of_problem,
        min(mentions.collection_date) as first_seen,
        max(mentions.collection_date) as last_seen,
    from heard
    inner join mentions on heard.url_hash = mentions.url_hash
    inner join watchlist on mentions.name = watchlist.name
    inner join voice_counts on heard.problem_id = voice_counts.problem_id
    group by all

)

select * from problem_mentions
