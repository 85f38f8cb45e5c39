{{ config(materialized='view') }}

with

texts as (

    select * from {{ nearby(ref('texts')) }}

),

titles as (

    select
        url_hash,
        sha256(title) as content_hash,
        title,
        collection_date,
    from texts
    -- What has more than a title is `title. body`.
    where
        title <> ''
        and length(text) > length(title) + 1

)

select * from titles
