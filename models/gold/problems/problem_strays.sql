{{ config(materialized='view') }}

with

problem_assignments as (

    select * from {{ nearby(ref('problem_assignments')) }}

),

attempts as (

    select * from {{ nearby(ref('problem_label_attempts')) }}

),

-- gold.problem_labels lacks the labels of groups that were merged into others; their strays still matter for events.
labels as (

    {{ standing_labels(['problem_id'], ['labelled', 'mixed']) }}

),

-- If a shown post of a voice is a stray, all posts of the voice are strays.
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
