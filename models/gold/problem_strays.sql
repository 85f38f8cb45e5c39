{{ config(materialized='view') }}

with

problem_assignments as (

    select * from {{ ref('problem_assignments').include(database=false) }}

),

-- The label that stands, as in gold.problem_labels, which has none of groups that have gone into others.
label_attempts as (

    select * from {{ ref('label_attempts').include(database=false) }}
    where problem_id is not null and status in ('labelled', 'mixed')
    qualify row_number() over (
        partition by problem_id
        order by attempted_at desc, attempt_id asc
    ) = 1

),

-- Where the first post of a voice has another problem, its later ones have, too.
problem_strays as (

    select distinct
        problem_assignments.problem_id,
        problem_assignments.voice,
    from problem_assignments
    inner join label_attempts on problem_assignments.problem_id = label_attempts.problem_id
    where
        label_attempts.status = 'mixed'
        or list_contains(label_attempts.strays, problem_assignments.url_hash)

)

select
    problem_id,
    voice,
from problem_strays
