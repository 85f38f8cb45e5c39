{{ config(materialized='view') }}

with

watched_names as (

    select * from {{ nearby(ref('watched_names')) }}

),

mention_days as (

    select * from {{ nearby(ref('mention_days')) }}

),

-- Three months are enough for a picture.
recent_days as (

    select * from mention_days
    qualify collection_date > max(collection_date) over () - 92

),

days as (

    select
        name,
        map_from_entries(
            list(
                (
                    collection_date::varchar,
                    { 'posts': posts, 'complaints': complaints, 'voices': voices, 'share_of_voice': share_of_voice }
                )
                order by collection_date
            )
        ) as days,
    from recent_days
    group by all

),

fields as (

    select
        {{ record_id(['watched_names.name']) }} as id,
        watched_names.name,
        watched_names.side,
        watched_names.trend,
        watched_names.position,
        watched_names.posts,
        watched_names.complaints,
        watched_names.problems,
        watched_names.voices,
        watched_names.recent_voices,
        watched_names.earlier_voices,
        watched_names.share_of_voice,
        watched_names.recent_share,
        watched_names.earlier_share,
        days.days,
        watched_names.first_seen,
        watched_names.last_seen,
    from watched_names
    inner join days on watched_names.name = days.name

),

name_records as (

    select
        id as record_id,
        sha256(to_json(fields)::varchar) as content_hash,
        to_json(fields) as record,
        position,
    from fields

)

select * from name_records
