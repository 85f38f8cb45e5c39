{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

raw_items as (

    select * from {{ source('bronze', 'raw_items') }}
    where collection_date = {{ run_date() }}

),

redactions as (

    select * from {{ ref('redactions') }}
    where collection_date = {{ run_date() }}

),

joined as (

    select
        raw_items.url_hash,
        raw_items.source,
        redactions.title,
        -- The encoder reads 256 tokens, which 2,000 characters hold in all but a few posts.
        left(
            trim(
                redactions.title || if(regexp_matches(redactions.title, '(^|[.!?…])$'), ' ', '. ') || redactions.body
            ),
            2000
        ) as text,
        raw_items.collection_date,
    from raw_items
    inner join redactions on raw_items.url_hash = redactions.url_hash

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
