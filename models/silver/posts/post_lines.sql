{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

redactions as (

    select * from {{ ref('redactions') }}
    where collection_date = {{ run_date() }}

),

bodies as (

    select
        url_hash,
        redacted_title as title,
        -- Comments of HTML are the form's and nobody sees them. Hacker News parts paragraphs by <p>.
        regexp_replace(
            regexp_replace(left(redacted_body, 8000), '<!--(?s:.*?)-->', ' ', 'g'), '<p>|\r', chr(10), 'g'
        ) as body,
        collection_date,
    from redactions

),

body_lines as (

    select
        url_hash,
        unnest(string_split(body, chr(10))) as raw_line,
        generate_subscripts(string_split(body, chr(10)), 1) as line_number,
        collection_date,
    from bodies

),

-- Whether a line stands in a block: between two fences, or in an element that holds code or is folded away.
blocks as (

    select
        *,
        regexp_matches(raw_line, '^\s{0,3}(```|~~~)') as is_fence,
        sum(is_fence::int) over up_to_here % 2 = 1 as is_fenced,
        sum(len(regexp_extract_all(raw_line, '(?i)<(?:pre|details)\b'))) over up_to_here
        > sum(len(regexp_extract_all(raw_line, '(?i)</(?:pre|details)>'))) over before_here as is_enclosed,
    from body_lines
    window
        up_to_here as (
            partition by url_hash
            order by line_number
            rows between unbounded preceding and current row
        ),
        before_here as (
            partition by url_hash
            order by line_number
            rows between unbounded preceding and 1 preceding
        )

),

all_lines as (

    select
        url_hash,
        raw_line,
        -- Tables and indented lines are no prose either. A quote is what a person said.
        not is_fenced
        and not is_fence
        and not coalesce(is_enclosed, false)
        and not regexp_matches(raw_line, '^\s{0,3}\||^ {4}|^\t') as is_prose,
        line_number,
        collection_date,
    from blocks

    union all

    select
        url_hash,
        title as raw_line,
        true as is_prose,
        0 as line_number,
        collection_date,
    from bodies
    where title is not null

),

trimmed as (

    select
        url_hash,
        {{ cut("trim(regexp_replace(raw_line, '\\s+', ' ', 'g'))", 300) }} as line_text,
        is_prose,
        line_number,
        collection_date,
    from all_lines

),

masked as (

    select
        url_hash,
        line_text,
        -- What a program fills in: quoted text, text in parentheses, addresses, and words with digits or with marks
        -- inside, such as paths. Tags are no text.
        trim(regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(line_text, '</?[a-zA-Z][^<>]{0,300}>', ' ', 'g'),
                    '"[^"]*"|`[^`]*`|\([^()]*\)|https?://\S+|\B''[^'']*''\B', '<*>', 'g'
                ),
                '\S*[\d_]\S*|\S*\w[./\\:@]+\w\S*', '<*>', 'g'
            ),
            '<\*>(\W*<\*>)+', '<*>', 'g'
        )) as frame,
        is_prose,
        line_number,
        collection_date,
    from trimmed

),

post_lines as (

    select
        url_hash,
        line_number,
        line_text,
        frame,
        length(regexp_replace(frame, '[^\pL]', '', 'g')) as letters,
        contains(frame, '<*>') as has_parameter,
        is_prose,
        collection_date,
    from masked
    where regexp_matches(line_text, '\pL')

)

select * from post_lines
