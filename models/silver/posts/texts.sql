{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

posts as (

    select * from {{ ref('posts') }}
    where collection_date = {{ run_date() }}

),

redactions as (

    select * from {{ ref('redactions') }}
    where collection_date = {{ run_date() }}

),

joined as (

    select
        posts.url_hash,
        posts.source,
        redactions.title,
        -- The encoder reads 256 tokens. In almost all posts, 2,000 characters hold at least that many.
        left(
            trim(
                redactions.title || if(regexp_matches(redactions.title, '(^|[.!?…])$'), ' ', '. ') || redactions.body
            ),
            2000
        ) as text,
        posts.collection_date,
    from posts
    inner join redactions on posts.url_hash = redactions.url_hash

),

texts as (

    select
        url_hash,
        sha256(text) as content_hash,
        source,
        title,
        text,
        collection_date,
    from joined

)

select * from texts
