{{ config(materialized='view') }}

with

pair_attempts as (

    select * from {{ nearby(ref('pair_attempts')) }}

),

answers as (

    select
        unnest(opinions) as opinion,
        labeler,
        attempted_at,
    from pair_attempts
    where status = 'answered'

),

pair_opinions as (

    select
        split_part(opinion['pair_hash'], '-', 1) as content_hash_a,
        split_part(opinion['pair_hash'], '-', 2) as content_hash_b,
        labeler,
        opinion['is_same'] as is_same,
        attempted_at,
    from answers
    qualify row_number() over (partition by content_hash_a, content_hash_b order by attempted_at desc) = 1

)

select * from pair_opinions
