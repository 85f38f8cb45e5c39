{{ config(materialized='table') }}

with

problem_assignments as (

    select * from {{ ref('problem_assignments') }}

),

moves as (

    select
        url_hash,
        as_of_date,
        problem_id,
        lag(problem_id) over days_of_post as problem_before,
        row_number() over days_of_post = 1 as is_new,
    from problem_assignments
    window days_of_post as (partition by url_hash order by as_of_date)

),

gains_and_losses as (

    select
        problem_id,
        as_of_date,
        1 as gain,
    from moves
    where problem_id is not null
    union all
    select
        problem_before as problem_id,
        as_of_date,
        -1 as gain,
    from moves
    where problem_before is not null

),

changes as (

    select
        problem_id,
        as_of_date,
        sum(gain) as gain,
    from gains_and_losses
    group by all

),

-- How many posts a problem has after each day that changed it.
counts as (

    select
        problem_id,
        as_of_date,
        sum(gain) over (
            partition by problem_id
            order by as_of_date
        ) as posts,
    from changes

),

opened as (

    select
        problem_id,
        min(as_of_date) as event_date,
    from counts
    group by all

),

ended as (

    select
        problem_id,
        as_of_date as event_date,
    from counts
    where posts = 0

),

-- Where the posts of a problem went on the day it ended.
heirs as (

    select
        ended.problem_id,
        ended.event_date,
        moves.problem_id as related_problem_id,
        count(*) as posts,
    from ended
    inner join moves on ended.problem_id = moves.problem_before and ended.event_date = moves.as_of_date
    where moves.problem_id is not null
    group by all

),

latest as (

    select greatest(max(as_of_date), {{ run_date() }}) as latest_date
    from problem_assignments

),

models as (

    select
        as_of_date,
        min(model) as model_name,
    from problem_assignments
    group by all

),

-- The days on which the embedding model changed: of what no window held then, it has no vectors.
new_models as (

    select as_of_date from models
    qualify model_name <> lag(model_name) over (order by as_of_date)

),

days as (

    select
        moves.problem_id,
        moves.as_of_date,
        count(*) as posts,
        any_value(moves.as_of_date = opened.event_date) as is_first,
    from moves
    inner join opened on moves.problem_id = opened.problem_id
    where moves.is_new or moves.as_of_date = opened.event_date
    group by all

),

-- Days on which a problem was heard of, with those before and after.
heard as (

    select
        days.problem_id,
        days.as_of_date,
        days.posts,
        days.is_first,
        lag(days.as_of_date) over problem_days as heard_before,
        coalesce(lead(days.as_of_date) over problem_days, latest.latest_date + 1) as heard_next,
        days.as_of_date + {{ var('problem_window_days') }} as dormant_date,
        days.as_of_date + {{ var('problem_memory_days') }} + 1 as forgotten_date,
    from days
    cross join latest
    window problem_days as (partition by days.problem_id order by days.as_of_date)

),

silences as (

    select
        heard.problem_id,
        heard.dormant_date,
        least(heard.forgotten_date, min(new_models.as_of_date)) as closed_date,
        least(heard.heard_next, any_value(ended.event_date)) as until_date,
    from heard
    left join new_models on heard.dormant_date <= new_models.as_of_date
    left join ended on heard.problem_id = ended.problem_id and heard.as_of_date < ended.event_date
    group by heard.problem_id, heard.dormant_date, heard.forgotten_date, heard.heard_next

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
    where moves.problem_before is not null
    group by all

    union all

    select
        problem_id,
        as_of_date as event_date,
        if(as_of_date - heard_before >= {{ var('problem_window_days') }}, 'reopened', 'continued') as event,
        null as related_problem_id,
        posts,
    from heard
    where not is_first

    union all

    select
        problem_id,
        event_date,
        'merged into' as event,
        arg_max(related_problem_id, (posts, related_problem_id)) as related_problem_id,
        sum(posts)::bigint as posts,
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

select
    event_id,
    problem_id,
    event,
    related_problem_id,
    posts,
    event_date,
from problem_events
