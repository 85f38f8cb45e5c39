{{
    config(
        materialized='incremental',
        incremental_strategy='replace_day',
        unique_key='collection_date',
    )
}}

with

raw_items as (

    select * from {{ source('bronze', 'raw_items') }}
    where collection_date = {{ run_date() }}

),

plain as (

    select
        url_hash,
        source,
        -- The prefixes of Hacker News say where a post stands, not what it is about.
        regexp_replace({{ plain_text("coalesce(title, '')") }}, '^(Ask|Tell|Show|Launch) HN:\s*', '', 'i') as title,
        -- The encoder reads 256 tokens, which 2,000 characters always hold; the rest of a stack
        -- trace would only cost time, in the patterns above all.
        {{ plain_text("left(coalesce(body, ''), 20000)") }} as body,
        collection_date,
    from raw_items

),

cut as (

    select
        url_hash,
        source,
        title,
        {{ cut('body', 300) }} as excerpt,
        left(trim(title || if(regexp_matches(title, '(^|[.!?…])$'), ' ', '. ') || body), 2000) as text,
        collection_date,
    from plain

),

documents as (

    select
        url_hash,
        sha256(text) as content_hash,
        source,
        title,
        excerpt,
        text,
        collection_date,
    from cut

)

select * from documents
