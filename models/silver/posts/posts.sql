{{ config(materialized='view') }}

-- The only door to bronze. Only the models that clean texts (plain_texts, redactions) read title and body themselves.
with

raw_items as (

    select * from {{ nearby(source('bronze', 'raw_items')) }}

),

posts as (

    select
        url_hash,
        source,
        url,
        author_hash,
        comment_count,
        vote_count,
        collection_date,
        created_at as posted_at,
        collected_at,
    from raw_items

)

select * from posts
