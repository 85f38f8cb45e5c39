{{ config(materialized='view') }}

with

problem_assignments as (

    select * from {{ nearby(ref('problem_assignments')) }}

),

attempts as (

    select * from {{ nearby(ref('problem_label_attempts')) }}

),

corrected_posts as (

    select * from {{ nearby(ref('corrected_posts')) }}

),

-- The latest correction of a post counts.
given as (

    select
        url_hash,
        problem_id,
    from corrected_posts
    qualify row_number() over (
        partition by url_hash
        order by correction_id desc
    ) = 1

),

-- What a person says of a post counts more than what a language model says.
given_voices as (

    select distinct
        problem_assignments.problem_id,
        problem_assignments.voice,
    from problem_assignments
    inner join given
        on
            problem_assignments.url_hash = given.url_hash
            and problem_assignments.problem_id = given.problem_id

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
    anti join given_voices
        on
            problem_assignments.problem_id = given_voices.problem_id
            and problem_assignments.voice = given_voices.voice
    where
        labels.status = 'mixed'
        or list_contains(labels.strays, problem_assignments.url_hash)

)

select * from problem_strays
