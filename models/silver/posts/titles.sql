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
    -- The text of a post with a body is longer than the title by more than a full stop.
    where
        title <> ''
        and length(text) > length(title) + 1

)

select * from titles
