{{ config(materialized='table') }}

with

mentions as (

    select * from {{ ref('mentions') }}

),

watchlist as (

    select * from {{ ref('watchlist') }}

),

documents as (

    select * from {{ ref('documents') }}

),

-- Every built day has a row for every name, so that a day without mentions is a zero and not a gap.
days as (

    select
        watchlist.name,
        watchlist.side,
        documents.collection_date,
    from documents
    cross join watchlist
    group by all

),

counts as (

    select
        days.name,
        days.side,
        count(mentions.url_hash) as posts,
        count(*) filter (where mentions.is_complaint) as complaints,
        count(distinct mentions.voice) as voices,
        days.collection_date,
    from days
    left join mentions on days.name = mentions.name and days.collection_date = mentions.collection_date
    group by all

),

mention_days as (

    select
        name,
        side,
        posts,
        complaints,
        voices,
        voices / nullif(sum(voices) over (partition by collection_date), 0) as share_of_voice,
        collection_date,
    from counts

)

select * from mention_days
