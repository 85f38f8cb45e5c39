{{ config(materialized='table') }}

with

problems as (

    select * from {{ ref('problems') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}
    where addresses_model is not true

),

problem_events as (

    select * from {{ ref('problem_events') }}

),

documents as (

    select * from {{ ref('documents') }}

),

latest as (

    select date_trunc('week', max(collection_date))::date as latest_week from documents

),

events as (

    select
        problem_id,
        date_trunc('week', event_date)::date as week_start,
        list(event order by event_date, event) filter (where event <> 'continued') as events,
    from problem_events
    group by all

),

last_events as (

    select
        problem_id,
        max(week_start) as last_week,
    from events
    group by all

),

posts as (

    select
        problem_id,
        date_trunc('week', collection_date)::date as week_start,
        count(*) as posts,
        count(distinct voice) as voices,
    from problem_posts
    group by all

),

first_posts as (

    select
        problem_id,
        voice,
        date_trunc('week', min(collection_date))::date as week_start,
    from problem_posts
    group by all

),

new_voices as (

    select
        problem_id,
        week_start,
        count(*) as new_voices,
    from first_posts
    group by all

),

-- The life of an active problem goes on to the latest week. That of others ends with the week of their last event.
weeks as (

    select
        problems.problem_id,
        unnest(
            generate_series(
                date_trunc('week', problems.first_seen),
                if(problems.status = 'active', latest.latest_week, last_events.last_week),
                interval 7 days
            )
        )::date as week_start,
    from problems
    inner join last_events on problems.problem_id = last_events.problem_id
    cross join latest

),

problem_weeks as (

    select
        weeks.problem_id,
        coalesce(posts.posts, 0) as posts,
        coalesce(posts.voices, 0) as voices,
        coalesce(new_voices.new_voices, 0) as new_voices,
        (
            sum(coalesce(new_voices.new_voices, 0)) over (
                partition by weeks.problem_id
                order by weeks.week_start
            )
        )::bigint as total_voices,
        coalesce(events.events, []) as events,
        weeks.week_start,
    from weeks
    left join posts on weeks.problem_id = posts.problem_id and weeks.week_start = posts.week_start
    left join new_voices on weeks.problem_id = new_voices.problem_id and weeks.week_start = new_voices.week_start
    left join events on weeks.problem_id = events.problem_id and weeks.week_start = events.week_start

)

select * from problem_weeks
