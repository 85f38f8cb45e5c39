{{ config(materialized='table') }}

with

name_matches as (

    select * from {{ ref('name_matches') }}

),

watchlist as (

    select * from {{ ref('watchlist') }}

),

posts as (

    select * from {{ ref('posts') }}

),

documents as (

    select * from {{ ref('documents') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

matches as (

    select
        name_matches.url_hash,
        name_matches.name,
        watchlist.side,
        problem_posts.problem_id,
        documents.source,
        posts.url,
        documents.redacted_title as title,
        name_matches.passage,
        -- An author is one voice; so are copies of one post without a known author.
        coalesce(posts.author_hash, documents.duplicate_of, name_matches.url_hash) as author,
        name_matches.occurrences,
        documents.complaint_score,
        name_matches.is_in_title,
        documents.complaint_score >= {{ var('complaint_threshold') }} as is_complaint,
        documents.collection_date,
        posts.posted_at,
    from name_matches
    inner join watchlist on name_matches.name = watchlist.name
    inner join posts on name_matches.url_hash = posts.url_hash
    inner join documents on name_matches.url_hash = documents.url_hash
    left join problem_posts on name_matches.url_hash = problem_posts.url_hash

),

mentions as (

    select
        {{ record_id(['url_hash', 'name']) }} as mention_id,
        url_hash,
        name,
        side,
        problem_id,
        source,
        url,
        title,
        passage,
        min(url_hash) over (partition by author) as voice,
        occurrences,
        complaint_score,
        is_in_title,
        is_complaint,
        collection_date,
        posted_at,
    from matches

)

select * from mentions
