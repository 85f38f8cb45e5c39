{{ config(materialized='view') }}

with

corrections as (

    select * from {{ nearby(ref('corrections')) }}

),

named as (

    select
        correction_id,
        kind,
        unnest(posts) as url_hash,
    from corrections
    where kind in ('merge', 'split', 'pin')

),

kept as (

    select
        correction_id,
        unnest(kept_posts) as url_hash,
    from corrections

),

-- A split parts the posts that leave from those that stay. The posts that leave stand together.
said as (

    select
        named.correction_id,
        named.url_hash as one,
        kept.url_hash as other,
        named.kind <> 'split' as is_same,
    from named
    inner join kept on named.correction_id = kept.correction_id

    union all

    select
        named.correction_id,
        named.url_hash as one,
        mates.url_hash as other,
        true as is_same,
    from named
    inner join named as mates on named.correction_id = mates.correction_id and named.url_hash < mates.url_hash
    where named.kind = 'split'

),

-- The latest correction of a pair counts.
corrected_pairs as (

    select
        least(one, other) as url_hash_a,
        greatest(one, other) as url_hash_b,
        is_same,
        correction_id,
    from said
    qualify row_number() over (
        partition by url_hash_a, url_hash_b
        order by correction_id desc
    ) = 1

)

select * from corrected_pairs
