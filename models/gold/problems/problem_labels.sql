{{ config(materialized='view') }}

with

attempts as (

    select * from {{ nearby(ref('problem_label_attempts')) }}

),

problem_requests as (

    select * from {{ nearby(ref('problem_requests')) }}

),

totals as (

    select
        problem_id,
        count(*) as attempts,
        arg_max(error, attempted_at) as error,
    from attempts
    group by all

),

-- A label holds until a newer label, or until a language model finds the group to be mixed.
labels as (

    {{ standing_labels(['problem_id'], ['labelled', 'mixed']) }}

),

problem_labels as (

    select
        problem_requests.problem_id,
        labels.canonical_title,
        labels.category,
        labels.description,
        labels.impact_level,
        labels.labeler,
        labels.model,
        {{ label_state('problem_requests') }},
        labels.quotes,
        labels.strays,
        labels.voices as labelled_voices,
        coalesce(totals.attempts, 0) as attempts,
        labels.would_pay_signal,
        labels.attempted_at as labelled_at,
    from problem_requests
    left join totals on problem_requests.problem_id = totals.problem_id
    left join labels on problem_requests.problem_id = labels.problem_id

)

select * from problem_labels
