{{ config(materialized='view') }}

with

themes as (

    select * from {{ nearby(ref('themes')) }}

),

theme_posts as (

    select * from {{ nearby(ref('theme_posts')) }}

),

theme_post_records as (

    select * from {{ nearby(ref('theme_post_records')) }}

),

post_hashes as (

    select
        theme_id,
        string_agg(content_hash, '' order by record_id) as all_hashes,
    from theme_post_records
    group by all

),

sources as (

    select
        theme_id,
        source,
        count(*) as posts,
    from theme_posts
    group by all

),

source_counts as (

    select
        theme_id,
        map_from_entries(list((source, posts) order by source)) as source_counts,
    from sources
    group by all

),

day_sources as (

    select
        theme_id,
        collection_date,
        source,
        count(distinct voice) as voices,
    from theme_posts
    group by all

),

days as (

    select
        theme_id,
        collection_date,
        map_from_entries(list((source, voices) order by source)) as voices,
    from day_sources
    group by all

),

daily_voices as (

    select
        theme_id,
        map_from_entries(list((collection_date::varchar, voices) order by collection_date)) as daily_voices,
    from days
    group by all

),

fields as (

    select
        themes.theme_id as id,
        themes.title,
        themes.terms,
        coalesce({{ cut('themes.central_title', 200) }}, '') as central_title,
        themes.status,
        themes.trend,
        themes.post_count,
        themes.voices,
        themes.recent_voices,
        themes.earlier_voices,
        themes.source_count,
        themes.problem_count,
        themes.cohesion,
        source_counts.source_counts,
        daily_voices.daily_voices,
        themes.first_seen,
        themes.last_seen,
    from themes
    inner join source_counts on themes.theme_id = source_counts.theme_id
    inner join daily_voices on themes.theme_id = daily_voices.theme_id

),

records as (

    select
        *,
        to_json(fields) as record,
    from fields

),

theme_records as (

    select
        records.id as record_id,
        sha256(records.record::varchar || coalesce(post_hashes.all_hashes, '')) as content_hash,
        records.record,
        row_number() over (order by records.voices desc, records.id asc) as push_rank,
    from records
    left join post_hashes on records.id = post_hashes.theme_id

)

select * from theme_records
