{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

texts as (

    select * from {{ ref('texts') }}
    where collection_date = {{ run_date() }}

),

post_signals as (

    select * from {{ ref('post_signals') }}
    where collection_date = {{ run_date() }}

),

control_posts as (

    select * from {{ ref('control_posts') }}

),

-- Posts with equal texts have equal scores, except for the weight of their source. One question about the text is
-- enough.
unsure as (

    select
        texts.content_hash,
        any_value(texts.text) as text,
        null::boolean as complains,
    from texts
    inner join post_signals on texts.url_hash = post_signals.url_hash
    where
        abs(post_signals.complaint_score - {{ var('complaint_threshold') }}) < {{ var('second_opinion_margin') }}
        and not post_signals.addresses_model
        -- A post with the text of a control post gets no opinion, because this text tests the language model.
        and texts.content_hash not in (select sha256(control_posts.text) from control_posts)
    group by all

),

controls as (

    select
        sha256(text) as content_hash,
        text,
        complains,
    from control_posts
    where exists (select 1 from unsure)

),

posts as (

    select * from unsure
    union all by name
    select * from controls

),

opinion_requests as (

    select
        content_hash,
        left(content_hash, 8) as post_id,
        'v1' as prompt_version,
        {{ opinion_instructions() }} as system_prompt,
        '<post id="' || post_id || '">' || {{ fenced('text', 600) }} || '</post>' as shown_post,
        complains,
        {{ run_date() }} as collection_date,
    from posts

)

select * from opinion_requests
