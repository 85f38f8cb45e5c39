{{ config(materialized='view') }}

with

opinion_attempts as (

    select * from {{ nearby(ref('opinion_attempts')) }}

),

answers as (

    select
        unnest(opinions) as opinion,
        labeler,
        attempted_at,
    from opinion_attempts
    where status = 'answered'

),

opinions as (

    select
        opinion['content_hash'] as content_hash,
        labeler,
        opinion['complains'] as complains,
        attempted_at,
    from answers
    qualify row_number() over (partition by content_hash order by attempted_at desc) = 1

)

select * from opinions
