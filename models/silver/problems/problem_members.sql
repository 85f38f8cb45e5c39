{{ config(materialized='view') }}

with

problem_assignments as (

    select * from {{ nearby(ref('problem_assignments')) }}

),

standing as (

    select * from problem_assignments
    qualify row_number() over (
        partition by url_hash
        order by as_of_date desc
    ) = 1

),

problem_members as (

    select
        url_hash,
        problem_id,
        voice,
        chance,
        as_of_date,
        collection_date,
    from standing
    where problem_id is not null

)

select * from problem_members
