{{ config(materialized='view') }}

with

problem_assignments as (

    select * from {{ ref('problem_assignments').include(database=false) }}

),

problem_labels as (

    select * from {{ ref('problem_labels').include(database=false) }}

),

-- Where the first post of a voice has another problem, its later ones have, too.
problem_strays as (

    select distinct
        problem_assignments.problem_id,
        problem_assignments.voice,
    from problem_assignments
    inner join problem_labels on problem_assignments.problem_id = problem_labels.problem_id
    where
        problem_labels.status = 'mixed'
        or list_contains(problem_labels.strays, problem_assignments.url_hash)

)

select
    problem_id,
    voice,
from problem_strays
