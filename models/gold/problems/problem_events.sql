{{ config(materialized='table') }}

with

problem_assignments as (

    select * from {{ ref('problem_assignments') }}

),

problem_strays as (

    select * from {{ ref('problem_strays') }}

),

documents as (

    select * from {{ ref('documents') }}

),

-- A stray is in the group of a problem, and never counts for the problem. In a mixed group, all posts are strays.
belongings as (

    select
        problem_assignments.url_hash,
        problem_assignments.problem_id as group_id,
        if(problem_strays.voice is null, problem_assignments.problem_id, null) as problem_id,
        problem_assignments.as_of_date,
        problem_assignments.collection_date,
    from problem_assignments
    left join problem_strays
        on
            problem_assignments.problem_id = problem_strays.problem_id
            and problem_assignments.voice = problem_strays.voice

),

moves as (

    select
        url_hash,
        as_of_date,
        collection_date,
        group_id,
        problem_id,
        lag(group_id) over days_of_post as group_before,
        lag(problem_id) over days_of_post as problem_before,
        row_number() over days_of_post = 1 as is_new,
    from belongings
    window days_of_post as (partition by url_hash order by as_of_date)

),

gains_and_losses as (

    select
        group_id,
        as_of_date,
        1 as gain,
    from moves
    where group_id is not null
    union all
    select
        group_before as group_id,
        as_of_date,
        -1 as gain,
    from moves
    where group_before is not null

),

changes as (

    select
        group_id,
        as_of_date,
        sum(gain) as gain,
    from gains_and_losses
    group by all

),

-- The number of posts of a group, strays included, after each day that changed the group.
counts as (

    select
        group_id,
        as_of_date,
        sum(gain) over (
            partition by group_id
            order by as_of_date
        ) as posts,
    from changes

),

opened as (

    select
        problem_id,
        min(as_of_date) as event_date,
    from moves
    where problem_id is not null
    group by all

),

ended as (

    select
        group_id as problem_id,
        as_of_date as event_date,
    from counts
    where posts = 0

),

-- The problems that took the posts of a problem on the day on which it ended.
heirs as (

    select
        ended.problem_id,
        ended.event_date,
        moves.group_id as related_problem_id,
        count(*) as posts,
    from ended
    inner join moves on ended.problem_id = moves.problem_before and ended.event_date = moves.as_of_date
    where moves.group_id <> ended.problem_id
    group by all

),

latest as (

    select max(collection_date) as latest_date from documents

),

models as (

    select
        as_of_date,
        min(model) as model_name,
    from problem_assignments
    group by all

),

-- The days on which the embedding model changed. The new model has no vectors for posts outside the window of that day.
new_models as (

    select as_of_date from models
    qualify model_name <> lag(model_name) over (order by as_of_date)

),

-- The days that brought posts to a problem: new posts, and posts from other problems.
days as (

    select
        moves.problem_id,
        moves.as_of_date,
        count(*) as posts,
        count(*) filter (where moves.is_new) as new_posts,
        max(moves.collection_date) as newest_date,
        any_value(moves.as_of_date = opened.event_date) as is_first,
    from moves
    inner join opened on moves.problem_id = opened.problem_id
    where moves.problem_before is distinct from moves.problem_id
    group by all

),

-- The newest post of a problem after each of these days, and before the day.
newest as (

    select
        problem_id,
        as_of_date,
        if(new_posts > 0, new_posts, posts) as posts,
        new_posts > 0 as brings_new_posts,
        is_first,
        max(newest_date) over so_far as newest_date,
        max(newest_date) over before as newest_before,
    from days
    window
        so_far as (partition by problem_id order by as_of_date),
        before as (
            partition by problem_id
            order by as_of_date
            rows between unbounded preceding and 1 preceding
        )

),

-- The days on which a problem got a newer post than before, within the window.
heard as (

    select
        newest.problem_id,
        newest.as_of_date,
        newest.newest_date + {{ var('problem_window_days') }} as dormant_date,
        coalesce(lead(newest.as_of_date) over problem_days, latest.latest_date + 1) as heard_next,
    from newest
    cross join latest
    where
        newest.is_first
        or (
            newest.newest_date > newest.newest_before
            and newest.newest_date + {{ var('problem_window_days') }} > newest.as_of_date
        )
    window problem_days as (partition by newest.problem_id order by newest.as_of_date)

),

silences as (

    select
        heard.problem_id,
        heard.dormant_date,
        -- Strays count here: a stray also represents its group in the grouping.
        least(
            max(belongings.collection_date) + {{ var('problem_memory_days') }} + 1, min(new_models.as_of_date)
        ) as closed_date,
        least(heard.heard_next, min(ended.event_date)) as until_date,
    from heard
    inner join belongings on heard.problem_id = belongings.group_id and heard.heard_next > belongings.as_of_date
    left join new_models on heard.dormant_date <= new_models.as_of_date
    left join ended on heard.problem_id = ended.problem_id and heard.as_of_date < ended.event_date
    group by heard.problem_id, heard.dormant_date, heard.heard_next

),

events as (

    select
        opened.problem_id,
        opened.event_date,
        'opened' as event,
        null as related_problem_id,
        count(*) as posts,
    from opened
    inner join moves on opened.problem_id = moves.problem_id and opened.event_date = moves.as_of_date
    group by all

    union all

    select
        opened.problem_id,
        opened.event_date,
        'split from' as event,
        moves.problem_before as related_problem_id,
        count(*) as posts,
    from opened
    inner join moves on opened.problem_id = moves.problem_id and opened.event_date = moves.as_of_date
    where moves.problem_before is not null and moves.problem_before <> moves.problem_id
    group by all

    union all

    select
        newest.problem_id,
        newest.as_of_date as event_date,
        if(
            heard.problem_id is not null
            and newest.newest_before + {{ var('problem_window_days') }} <= newest.as_of_date,
            'reopened',
            'continued'
        ) as event,
        null as related_problem_id,
        newest.posts,
    from newest
    left join heard on newest.problem_id = heard.problem_id and newest.as_of_date = heard.as_of_date
    where not newest.is_first and (newest.brings_new_posts or event = 'reopened')

    union all

    select
        problem_id,
        event_date,
        'merged into' as event,
        arg_max(related_problem_id, (posts, related_problem_id)) as related_problem_id,
        max(posts) as posts,
    from heirs
    group by all

    union all

    select
        problem_id,
        dormant_date as event_date,
        'dormant' as event,
        null as related_problem_id,
        0 as posts,
    from silences
    where dormant_date < until_date

    union all

    select
        problem_id,
        closed_date as event_date,
        'closed' as event,
        null as related_problem_id,
        0 as posts,
    from silences
    where closed_date < until_date

),

problem_events as (

    select
        {{ record_id(['problem_id', 'event_date', 'event', "coalesce(related_problem_id, '')"]) }} as event_id,
        problem_id,
        event,
        related_problem_id,
        posts,
        event_date,
    from events

)

select * from problem_events
