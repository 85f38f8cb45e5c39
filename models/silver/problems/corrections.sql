{{ config(materialized='view') }}

with

all_corrections as (

    select * from {{ nearby(source('bronze', 'corrections')) }}

),

undos as (

    select undoes as correction_id
    from all_corrections
    where kind = 'undo'

),

-- A later title of a problem replaces an earlier one.
corrections as (

    select
        all_corrections.correction_id,
        all_corrections.kind,
        all_corrections.problem_id,
        all_corrections.other_problem_id,
        all_corrections.posts,
        all_corrections.kept_posts,
        all_corrections.title,
        all_corrections.as_of_date,
        all_corrections.corrected_at,
    from all_corrections
    anti join undos on all_corrections.correction_id = undos.correction_id
    where all_corrections.kind <> 'undo'
    qualify
        all_corrections.kind <> 'rename'
        or row_number() over (
            partition by all_corrections.kind, all_corrections.problem_id
            order by all_corrections.correction_id desc
        ) = 1

)

select * from corrections
