{{ config(materialized='view') }}

-- The only door to bronze. Only the models that clean texts (plain_texts, redactions) read title and body themselves.
with

raw_items as (

    select * from {{ nearby(source('bronze', 'raw_items')) }}

),

posts as (

    select
        url_hash,
        source,
        url,
        author_hash,
        -- A count that can not be is unknown (ingest.item refuses it; earlier versions stored it).
        if(comment_count between -1000000000 and 1000000000, comment_count, null) as comment_count,
        if(vote_count between -1000000000 and 1000000000, vote_count, null) as vote_count,
        collection_date,
        created_at as posted_at,
        collected_at,
        -- The hash of a day's posts says whether the day has changed since it was built (macro name_changed_days).
        md5_number(
            concat_ws(
                chr(31),
                source,
                url,
                coalesce(author_hash, ''),
                coalesce(title, ''),
                coalesce(body, ''),
                coalesce(comment_count::varchar, ''),
                coalesce(vote_count::varchar, ''),
                created_at
            )
        ) as post_hash,
    from raw_items

)

select * from posts
