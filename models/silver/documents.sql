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

plain_texts as (

    select * from {{ ref('plain_texts') }}
    where collection_date = {{ run_date() }}

),

redactions as (

    select * from {{ ref('redactions') }}
    where collection_date = {{ run_date() }}

),

duplicates as (

    select * from {{ ref('duplicates') }}
    where collection_date = {{ run_date() }}

),

joined as (

    select
        raw_items.url_hash,
        duplicates.duplicate_of,
        raw_items.source,
        redactions.title,
        redactions.body,
        -- The encoder reads 256 tokens, which 2,000 characters hold in all but a few posts.
        left(
            trim(
                redactions.title || if(regexp_matches(redactions.title, '(^|[.!?…])$'), ' ', '. ') || redactions.body
            ),
            2000
        ) as text,
        redactions.redacted_title,
        redactions.redacted_body,
        plain_texts.language,
        redactions.redacted_emails,
        redactions.redacted_phones,
        redactions.redacted_secrets,
        raw_items.collection_date,
    from raw_items
    inner join plain_texts on raw_items.url_hash = plain_texts.url_hash
    inner join redactions on raw_items.url_hash = redactions.url_hash
    left join duplicates on raw_items.url_hash = duplicates.url_hash

),

documents as (

    select
        url_hash,
        sha256(text) as content_hash,
        duplicate_of,
        source,
        title,
        {{ cut("replace(body, chr(10), ' ')", 300) }} as excerpt,
        text,
        redacted_title,
        redacted_body,
        language,
        redacted_emails,
        redacted_phones,
        redacted_secrets,
        regexp_matches(text, {{ any_pattern(ref('model_instructions')) }}, 'i') as addresses_model,
        collection_date,
    from joined

)

select * from documents
