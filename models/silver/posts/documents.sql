{{
    config(
        materialized='incremental',
        incremental_strategy='replace_day',
        unique_key='collection_date',
    )
}}

with

texts as (

    select * from {{ ref('texts') }}
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

post_signals as (

    select * from {{ ref('post_signals') }}
    where collection_date = {{ run_date() }}

),

opinions as (

    select * from {{ ref('opinions') }}

),

documents as (

    select
        texts.url_hash,
        texts.content_hash,
        duplicates.duplicate_of,
        texts.source,
        texts.title,
        {{ cut("replace(redactions.body, chr(10), ' ')", 300) }} as excerpt,
        texts.text,
        redactions.redacted_title,
        redactions.redacted_body,
        plain_texts.language,
        redactions.redacted_emails,
        redactions.redacted_phones,
        redactions.redacted_secrets,
        case
            -- A post without a text does not complain.
            when texts.text = '' then 0
            when opinions.complains is null then post_signals.complaint_score
            else {{ updated_probability('post_signals.complaint_score', 'opinions.complains') }}
        end::decimal(10, 8) as complaint_score,
        opinions.complains as second_opinion,
        coalesce(post_signals.addresses_model, false) as addresses_model,
        texts.collection_date,
    from texts
    inner join plain_texts on texts.url_hash = plain_texts.url_hash
    inner join redactions on texts.url_hash = redactions.url_hash
    left join duplicates on texts.url_hash = duplicates.url_hash
    left join post_signals on texts.url_hash = post_signals.url_hash
    left join opinions on texts.content_hash = opinions.content_hash

)

select * from documents
