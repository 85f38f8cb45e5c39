{{ config(materialized='table') }}

with

documents as (

    select * from {{ ref('documents') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}
    where addresses_model is not true

),

problem_events as (

    select * from {{ ref('problem_events') }}

),

mentions as (

    select * from {{ ref('mentions') }}
    where side = 'own'

),

latest as (

    select max(collection_date) as latest_date from documents

),

-- What happened, with its day. A voice counts once in each week.
happenings as (

    select
        'posts' as figure,
        url_hash as subject,
        collection_date as happened_date,
    from documents

    union all

    select
        'complaints' as figure,
        url_hash as subject,
        collection_date as happened_date,
    from documents
    where complaint_score >= {{ var('complaint_threshold') }}

    union all

    select
        'voices' as figure,
        voice as subject,
        collection_date as happened_date,
    from problem_posts

    union all

    select
        'problems_opened' as figure,
        problem_id as subject,
        event_date as happened_date,
    from problem_events
    where event = 'opened'

    union all

    select
        'problems_reopened' as figure,
        problem_id as subject,
        event_date as happened_date,
    from problem_events
    where event = 'reopened'

    union all

    select
        'problems_silent' as figure,
        problem_id as subject,
        event_date as happened_date,
    from problem_events
    where event = 'dormant'

    union all

    select
        'own_mentions' as figure,
        url_hash as subject,
        collection_date as happened_date,
    from mentions

),

-- A figure without any happening is a zero.
figures as (

    select
        unnest(
            [
                'posts',
                'complaints',
                'voices',
                'problems_opened',
                'problems_reopened',
                'problems_silent',
                'own_mentions'
            ]
        ) as figure,
        unnest([1, 2, 3, 4, 5, 6, 7]) as position,

),

days as (

    select
        count(distinct documents.collection_date) filter (
            where documents.collection_date > latest.latest_date - 7
        ) as days_this_week,
        count(distinct documents.collection_date) filter (
            where documents.collection_date between latest.latest_date - 13 and latest.latest_date - 7
        ) as days_last_week,
    from documents
    cross join latest

),

week_figures as (

    select
        figures.figure,
        figures.position,
        count(distinct happenings.subject) filter (
            where happenings.happened_date > latest.latest_date - 7
        ) as this_week,
        count(distinct happenings.subject) filter (
            where happenings.happened_date between latest.latest_date - 13 and latest.latest_date - 7
        ) as last_week,
        days.days_this_week,
        days.days_last_week,
        latest.latest_date as as_of_date,
    from figures
    cross join latest
    cross join days
    left join happenings
        on figures.figure = happenings.figure and latest.latest_date >= happenings.happened_date
    where latest.latest_date is not null
    group by all

)

select * from week_figures
