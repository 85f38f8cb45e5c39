{{ config(materialized='view') }}

with

problem_assignments as (

    select * from {{ nearby(ref('problem_assignments')) }}

),

attempts as (

    select * from {{ nearby(ref('problem_label_attempts')) }}

),

-- gold.problem_labels has none of groups that have gone into others.
labels as (

    {{ standing_labels(['problem_id'], ['labelled', 'mixed']) }}

),

-- Where the first post of a voice has another problem, its later ones have, too.
problem_strays as (

    select distinct
        problem_assignments.problem_id,
        problem_assignments.voice,
    from problem_assignments
    inner join labels on problem_assignments.problem_id = labels.problem_id
    where
        labels.status = 'mixed'
        or list_contains(labels.strays, problem_assignments.url_hash)

)

select * from problem_strays
