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

problems as (

    select * from {{ ref('problems') }}

),

{{ window_halves() }},

-- A voice counts once for a name, on the day of its latest mention within the window.
voices as (

    select
        mentions.name,
        mentions.voice,
        max(mentions.collection_date) as last_seen,
    from mentions
    cross join built
    where mentions.collection_date > built.start_date
    group by all

),

voice_counts as (

    select
        voices.name,
        count(*) as voices,
        count(*) filter (where voices.last_seen > built.middle_date) as recent_voices,
        count(*) filter (where voices.last_seen <= built.middle_date) as earlier_voices,
    from voices
    cross join built
    group by all

),

post_counts as (

    select
        mentions.name,
        count(*) filter (where mentions.collection_date > built.start_date) as posts,
        count(*) filter (where mentions.collection_date > built.start_date and mentions.is_complaint) as complaints,
        count(distinct problems.problem_id) filter (where problems.status = 'active') as problems,
        min(mentions.collection_date) as first_seen,
        max(mentions.collection_date) as last_seen,
    from mentions
    cross join built
    left join problems on mentions.problem_id = problems.problem_id
    group by all

),

counts as (

    select
        watchlist.name,
        watchlist.side,
        watchlist.position,
        coalesce(post_counts.posts, 0) as posts,
        coalesce(post_counts.complaints, 0) as complaints,
        coalesce(post_counts.problems, 0) as problems,
        coalesce(voice_counts.voices, 0) as voices,
        coalesce(voice_counts.recent_voices, 0) as recent_voices,
        coalesce(voice_counts.earlier_voices, 0) as earlier_voices,
        post_counts.first_seen,
        post_counts.last_seen,
    from watchlist
    left join post_counts on watchlist.name = post_counts.name
    left join voice_counts on watchlist.name = voice_counts.name

),

watched_names as (

    select
        counts.name,
        counts.side,
        {{ trend('counts', 'counts.voices = 0') }} as trend,
        counts.position,
        counts.posts,
        counts.complaints,
        counts.problems,
        counts.voices,
        counts.recent_voices,
        counts.earlier_voices,
        counts.voices / nullif(sum(counts.voices) over (), 0) as share_of_voice,
        counts.recent_voices / nullif(sum(counts.recent_voices) over (), 0) as recent_share,
        counts.earlier_voices / nullif(sum(counts.earlier_voices) over (), 0) as earlier_share,
        counts.first_seen,
        counts.last_seen,
    from counts
    cross join built

)

select * from watched_names
