{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

-- The fewest words of a post that can resemble another post, and of a post that can equal another post.
{% set similar_words = 10 %}
{% set equal_words = 5 %}

with

texts as (

    select * from {{ ref('texts') }}
    where collection_date = {{ run_date() }}

),

-- What copies change: names, which are words in capitals inside a sentence; numbers; addresses.
masked as (

    select
        url_hash,
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    text, '([^\s.!?…:][ ,;]+)\p{Lu}[^\s.!?…:,;]*(?: \p{Lu}[^\s.!?…:,;]*)*', '\1#', 'g'
                ),
                '\S*\d\S*|https?://\S+', '#', 'g'
            ),
            '#(\W*#)+', '#', 'g'
        ) as masked_text,
        collection_date,
    from texts

),

words as (

    select
        url_hash,
        regexp_extract_all(lower(masked_text), '#|[\pL\pM]+') as words,
        collection_date,
    from masked

),

wordings as (

    select
        url_hash,
        case
            when len(words) >= {{ similar_words }}
                then list_transform(
                    list_zip(words[:-3], words[2:-2], words[3:]),
                    lambda triple: md5_number_lower(concat_ws(' ', triple[1], triple[2], triple[3]))
                )
            when len(words) >= {{ equal_words }} then [md5_number_lower(array_to_string(words, ' '))]
            else []
        end as sequences,
        collection_date,
    from words

)

select * from wordings
