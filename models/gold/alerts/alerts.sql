{{ config(materialized='table') }}

with

problems as (

    select * from {{ ref('problems') }}
    where status = 'active' and not is_from_program and not is_burst

),

problem_faults as (

    select * from {{ ref('problem_faults') }}

),

problem_events as (

    select * from {{ ref('problem_events') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

problem_wordings as (

    select * from {{ ref('problem_wordings') }}
    where is_wording

),

problem_mentions as (

    select * from {{ ref('problem_mentions') }}

),

problem_tiers as (

    select * from {{ ref('problem_tiers') }}

),

documents as (

    select * from {{ ref('documents') }}

),

ingest_windows as (

    select * from {{ source('bronze', 'ingest_windows') }}

),

latest as (

    select max(collection_date) as latest_date from documents

),

window_counts as (

    select
        latest.latest_date,
        count(ingest_windows.status) as windows,
        count(*) filter (where ingest_windows.status = 'failed') as failed,
        count(*) filter (
            where
            ingest_windows.status = 'pending'
            or ingest_windows.finished_at < latest.latest_date + interval 1 day
        ) as unfinished,
    from latest
    left join ingest_windows on latest.latest_date = ingest_windows.collection_date
    group by all

),

-- A day is partial if it has not ended, was collected before its end or not to its end, or if most of it failed.
windows as (

    select
        latest_date,
        latest_date < (now() at time zone 'UTC')::date as has_ended,
        has_ended and unfinished = 0 and failed * 2 <= windows as is_whole,
    from window_counts

),

-- The voices that count have words of their own: neither one author nor copies raise an alarm.
first_posts as (

    select
        problem_posts.problem_id,
        problem_posts.voice,
        min(problem_posts.collection_date) as first_seen,
    from problem_posts
    semi join problem_wordings
        on
            problem_posts.problem_id = problem_wordings.problem_id
            and problem_posts.voice = problem_wordings.voice
    where problem_posts.addresses_model is not true
    group by all

),

voices as (

    select
        first_posts.problem_id,
        count(*) as voices,
        count(*) filter (where first_posts.first_seen <= windows.latest_date - 7) as voices_before,
    from first_posts
    cross join windows
    group by all

),

openings as (

    select
        problem_id,
        min(event_date) filter (where event = 'opened') as opened_date,
        -- What a split parts from a problem is no news.
        bool_or(event = 'split from') as is_split,
        max(event_date) filter (where event = 'reopened') as reopened_date,
    from problem_events
    group by all

),

-- Problems that may raise an alarm.
heard as (

    select
        problems.problem_id,
        problems.tier,
        voices.voices,
        voices.voices_before,
        openings.opened_date,
        openings.is_split,
        openings.reopened_date,
        windows.latest_date,
    from problems
    inner join voices on problems.problem_id = voices.problem_id
    inner join openings on problems.problem_id = openings.problem_id
    cross join windows
    anti join problem_faults on problems.problem_id = problem_faults.problem_id
    where windows.is_whole and voices.voices >= {{ var('problem_voices') }}

),

wanted as (

    select least_chance
    from problem_tiers
    where tier = '{{ var('alert_tier') }}'

),

sure as (

    select problem_tiers.tier
    from problem_tiers
    inner join wanted on problem_tiers.least_chance >= wanted.least_chance

),

news as (

    select
        heard.problem_id,
        null as source,
        null as name,
        'new' as kind,
        heard.voices || ' people since ' || heard.opened_date as detail,
        heard.opened_date as event_date,
        '' as occasion,
    from heard
    semi join sure on heard.tier = sure.tier
    where
        heard.opened_date > heard.latest_date - {{ var('problem_window_days') }}
        and not heard.is_split

    union all

    -- Each doubling of the least number of voices is one occasion.
    select
        problem_id,
        null as source,
        null as name,
        'doubled' as kind,
        'from ' || voices_before || ' to ' || voices || ' people in a week' as detail,
        latest_date as event_date,
        floor(log2(voices / {{ var('problem_voices') }}))::varchar as occasion,
    from heard
    where
        voices_before >= {{ var('problem_voices') }}
        and voices >= 2 * voices_before

    union all

    select
        problem_id,
        null as source,
        null as name,
        'back' as kind,
        'after at least {{ var('problem_window_days') }} days of silence' as detail,
        reopened_date as event_date,
        reopened_date::varchar as occasion,
    from heard
    where reopened_date > latest_date - {{ var('alert_days') }}

    union all

    select
        heard.problem_id,
        null as source,
        problem_mentions.name,
        'named' as kind,
        problem_mentions.voices || ' people name ' || problem_mentions.name as detail,
        heard.opened_date as event_date,
        problem_mentions.name as occasion,
    from heard
    inner join problem_mentions on heard.problem_id = problem_mentions.problem_id
    where
        heard.opened_date > heard.latest_date - {{ var('problem_window_days') }}
        and not heard.is_split
        and problem_mentions.voices >= 2

),

sources as (

    select
        documents.source,
        max(documents.collection_date) as last_seen,
        count(distinct documents.collection_date) filter (
            where documents.collection_date between windows.latest_date - 7 and windows.latest_date - 1
        ) as days_before,
    from documents
    cross join windows
    group by all

),

collections as (

    select
        source,
        collection_date,
        bool_or(status = 'pending') as is_pending,
        max(error) filter (where status = 'failed') as error,
    from ingest_windows
    group by all

),

-- A source that sent posts on most days of the week before, and none on the latest day.
silences as (

    select
        null as problem_id,
        sources.source,
        null as name,
        'silent' as kind,
        'no posts since ' || sources.last_seen || coalesce(': ' || collections.error, '') as detail,
        windows.latest_date as event_date,
        sources.last_seen::varchar as occasion,
    from sources
    cross join windows
    left join collections
        on sources.source = collections.source and windows.latest_date = collections.collection_date
    where
        windows.has_ended
        and sources.last_seen < windows.latest_date
        and sources.days_before >= 4
        and collections.is_pending is not true

),

occasions as (

    select * from news
    union all
    select * from silences

),

alerts as (

    select
        {{ record_id(["coalesce(problem_id, source)", 'kind', 'occasion']) }} as alert_id,
        problem_id,
        source,
        name,
        kind,
        detail,
        event_date,
    from occasions

)

select * from alerts
