{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

unsure_pairs as (

    select * from {{ ref('unsure_pairs') }}
    where as_of_date = {{ run_date() }}

),

documents as (

    select * from {{ ref('documents') }}

),

texts as (

    select * from {{ ref('texts') }}

),

corrected_pairs as (

    select * from {{ ref('corrected_pairs') }}

),

control_pairs as (

    select * from {{ ref('control_pairs') }}

),

-- Nobody is asked about what a person has said, and no model sees a post that addresses it.
askable as (

    select unsure_pairs.*
    from unsure_pairs
    inner join documents as one on unsure_pairs.url_hash = one.url_hash
    inner join documents as other on unsure_pairs.other_url_hash = other.url_hash
    left join corrected_pairs
        on
            least(unsure_pairs.url_hash, unsure_pairs.other_url_hash) = corrected_pairs.url_hash_a
            and greatest(unsure_pairs.url_hash, unsure_pairs.other_url_hash) = corrected_pairs.url_hash_b
    where
        not one.addresses_model
        and not other.addresses_model
        and corrected_pairs.correction_id is null

),

-- Pairs with equal texts need one question. A pair is the same in both orders.
pairs as (

    select
        least(one.content_hash, other.content_hash) || '-' || greatest(one.content_hash, other.content_hash)
            as pair_hash,
        any_value(if(one.content_hash < other.content_hash, one.text, other.text)) as text,
        any_value(if(one.content_hash < other.content_hash, other.text, one.text)) as other_text,
        max(askable.chance) as chance,
    from askable
    inner join texts as one on askable.url_hash = one.url_hash
    inner join texts as other on askable.other_url_hash = other.url_hash
    where one.content_hash <> other.content_hash
    group by all

),

unsure as (

    select
        pair_hash,
        text,
        other_text,
        null::boolean as is_same,
    from pairs
    qualify row_number() over (order by chance desc, pair_hash asc) <= {{ var('judged_pairs') }}

),

controls as (

    select
        least(sha256(text), sha256(other_text)) || '-' || greatest(sha256(text), sha256(other_text)) as pair_hash,
        text,
        other_text,
        is_same,
    from control_pairs
    where exists (select 1 from unsure)

),

shown as (

    select unsure.*
    from unsure
    anti join controls on unsure.pair_hash = controls.pair_hash
    union all by name
    select * from controls

),

pair_requests as (

    select
        pair_hash,
        left(sha256(pair_hash), 8) as pair_id,
        'v1' as prompt_version,
        {{ pair_instructions() }} as system_prompt,
        '<pair id="' || pair_id || '"><post>' || {{ fenced('text', 400) }} || '</post><post>'
        || {{ fenced('other_text', 400) }} || '</post></pair>' as shown_pair,
        is_same,
        {{ run_date() }} as collection_date,
    from shown

)

select * from pair_requests
