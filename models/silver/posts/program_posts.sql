{{ config(materialized='incremental', incremental_strategy='replace_from_day', unique_key='as_of_date') }}

-- The fewest posts with different parameters that make a frame.
{% set least_posts = 3 %}
-- The fewest letters of a frame, and of one that stands under the titles of a program or is repeated in them.
{% set short_frame = 10 %}
{% set long_frame = 15 %}
-- A body with at most so many letters outside of shared lines says nothing of its own.
{% set few_letters = 15 %}
-- A line in so many posts, nine of ten of them without own words, is surely a program's.
{% set many_posts = 10 %}

with

-- The day of the build and later days: their windows hold posts of the day. Var next_day ends them.
days as (

    select distinct collection_date as as_of_date
    from {{ ref('post_lines') }}
    where
        collection_date >= {{ run_date() }}
        and collection_date < {% if var('next_day') %}date '{{ var("next_day") }}'{% else %}'infinity'::date{% endif %}

),

post_lines as (

    select * from {{ ref('post_lines') }}
    where
        collection_date > {{ run_date() }} - {{ var('problem_window_days') }}

),

known as (

    select null::varchar as url_hash
    where false
    {% if is_incremental() -%}
        union all
        select url_hash
        from {{ this }}
        where as_of_date < {{ run_date() }}
    {%- endif %}

),

windows as (

    select
        days.as_of_date,
        post_lines.*,
        post_lines.line_number = 0 as is_title,
    from post_lines
    inner join days
        on
            post_lines.collection_date <= days.as_of_date
            and post_lines.collection_date > days.as_of_date - {{ var('problem_window_days') }}

),

-- The lines of bodies that several posts share word for word, but for their parameters.
shared_lines as (

    select
        as_of_date,
        frame,
        count(distinct url_hash) as posts,
    from windows
    where not is_title and letters >= {{ short_frame }}
    group by all
    having posts >= {{ least_posts }}

),

-- Titles that differ in their parameters only.
title_frames as (

    select
        as_of_date,
        frame,
        count(distinct url_hash) as posts,
    from windows
    where is_title and has_parameter and letters >= {{ short_frame }}
    group by all
    having count(distinct line_text) >= {{ least_posts }}

),

titles as (

    select
        windows.as_of_date,
        windows.url_hash,
        windows.line_text,
        windows.frame as title_frame,
        title_frames.frame,
        title_frames.posts,
        list_distinct(regexp_extract_all(lower(windows.line_text), '\pL{3,}')) as words,
    from windows
    left join title_frames using (as_of_date, frame)
    where windows.is_title

),

lines_under_titles as (

    select
        titles.as_of_date,
        titles.frame,
        titles.posts,
        windows.frame as line_frame,
        count(distinct windows.url_hash) as posts_with_line,
        count(distinct windows.line_text) as variants,
    from titles
    inner join windows using (as_of_date, url_hash)
    where
        titles.frame is not null
        and not windows.is_title
        and windows.has_parameter
        and windows.letters >= {{ long_frame }}
    group by all

),

-- People ask "What is the difference between … and …" too, and all of them say "Thanks in advance". A title is a
-- program's if the bodies have a frame as well, and if this frame stands under no other titles, as that of a form does.
program_titles as (

    select distinct
        lines_under_titles.as_of_date,
        lines_under_titles.frame,
    from lines_under_titles
    inner join shared_lines
        on
            lines_under_titles.as_of_date = shared_lines.as_of_date
            and lines_under_titles.line_frame = shared_lines.frame
    where
        lines_under_titles.variants >= {{ least_posts }}
        and 2 * lines_under_titles.posts_with_line >= lines_under_titles.posts
        and 3 * lines_under_titles.posts_with_line >= 2 * shared_lines.posts

),

-- A line of a body after a line that posts share, such as the heading of a field, and whether the title repeats it.
fields as (

    select
        windows.as_of_date,
        windows.url_hash,
        windows.line_text,
        windows.letters,
        windows.has_parameter,
        lag(windows.frame) over (
            partition by windows.as_of_date, windows.url_hash
            order by windows.line_number
        ) as field,
        contains(titles.line_text, windows.line_text) and windows.letters >= {{ long_frame }} as is_repeated,
        titles.title_frame,
    from windows
    inner join titles using (as_of_date, url_hash)
    where
        not windows.is_title

),

-- People too write their title once more into a field. A program does in two of three posts, with parameters.
program_fields as (

    select
        fields.as_of_date,
        fields.field,
    from fields
    inner join shared_lines
        on fields.as_of_date = shared_lines.as_of_date and fields.field = shared_lines.frame
    where fields.letters >= {{ short_frame }}
    group by all
    having
        count(distinct fields.line_text) filter (where fields.is_repeated and fields.has_parameter) >= {{ least_posts }}
        and 3 * count(*) filter (where fields.is_repeated) >= 2 * count(*)

),

bodies as (

    select
        windows.as_of_date,
        windows.url_hash,
        coalesce(sum(windows.letters) filter (where windows.is_prose and shared_lines.frame is null), 0)
        <= {{ few_letters }} as is_bare,
    from windows
    left join shared_lines using (as_of_date, frame)
    where not windows.is_title
    group by all

),

-- The lines with parameters that bodies share. Without `materialized`, DuckDB may join shared_lines and bodies by day
-- alone, and the number of rows would grow with the square of the posts.
shared_bodies as materialized (

    select
        windows.as_of_date,
        windows.url_hash,
        windows.line_text,
        windows.frame,
    from windows
    inner join shared_lines using (as_of_date, frame)
    where not windows.is_title and windows.is_prose and windows.has_parameter

),

lines_of_bodies as materialized (

    select
        shared_bodies.*,
        bodies.is_bare,
    from shared_bodies
    inner join bodies using (as_of_date, url_hash)

),

-- The lines of a form stand beside the words of people, those of a program stand alone.
program_lines as (

    select
        as_of_date,
        frame,
        count(distinct url_hash) as posts,
        count(distinct url_hash) filter (where is_bare) as bare_posts,
    from lines_of_bodies
    group by all
    having
        count(distinct line_text) >= {{ least_posts }}
        and bare_posts >= {{ least_posts }}
        and 3 * bare_posts >= 2 * posts

),

-- Of several lines of a program, the most frequent one names it.
program_bodies as (

    select
        lines_of_bodies.as_of_date,
        lines_of_bodies.url_hash,
        arg_max(program_lines.frame, (program_lines.posts, program_lines.frame)) as frame,
        bool_or(
            program_lines.posts >= {{ many_posts }} and 10 * program_lines.bare_posts >= 9 * program_lines.posts
        ) as is_surely_program,
    from lines_of_bodies
    inner join program_lines using (as_of_date, frame)
    where lines_of_bodies.is_bare
    group by all

),

-- The title stays a person's if the body does not have half of its words, unless nearly all posts with the line are
-- the program's.
body_words as (

    select
        windows.as_of_date,
        windows.url_hash,
        list_distinct(flatten(list(regexp_extract_all(lower(windows.line_text), '\pL{3,}')))) as words,
    from windows
    inner join program_bodies using (as_of_date, url_hash)
    where not windows.is_title
    group by all

),

written_by_program as (

    select
        titles.as_of_date,
        titles.url_hash,
        titles.frame,
        false as is_body,
    from titles
    inner join program_titles using (as_of_date, frame)

    union all

    select
        fields.as_of_date,
        fields.url_hash,
        fields.title_frame as frame,
        false as is_body,
    from fields
    inner join program_fields using (as_of_date, field)
    where fields.is_repeated

    union all

    select
        program_bodies.as_of_date,
        program_bodies.url_hash,
        program_bodies.frame,
        true as is_body,
    from program_bodies
    inner join body_words using (as_of_date, url_hash)
    left join titles using (as_of_date, url_hash)
    where
        titles.line_text is null
        or titles.frame is not null
        or program_bodies.is_surely_program
        or 2 * len(list_intersect(titles.words, body_words.words)) >= len(titles.words)

),

-- A post keeps the program of the first day on which it is recognised. A program's body says more than its title.
first_marked as (

    select
        as_of_date,
        url_hash,
        frame,
    from written_by_program
    where url_hash not in (select known.url_hash from known)
    qualify row_number() over (
        partition by url_hash
        order by as_of_date asc, is_body desc
    ) = 1

),

-- The words of a program's lines, without the lines that only this post has in its prose: those are a person's.
program_words as (

    select
        first_marked.as_of_date,
        first_marked.url_hash,
        first_marked.frame,
        windows.collection_date,
        list_distinct(flatten(list(regexp_extract_all(lower(windows.line_text), '\pL{3,}')))) as words,
    from first_marked
    inner join windows
        on first_marked.as_of_date = windows.as_of_date and first_marked.url_hash = windows.url_hash
    left join shared_lines
        on windows.as_of_date = shared_lines.as_of_date and windows.frame = shared_lines.frame
    where
        windows.is_title
        or not windows.is_prose
        or shared_lines.frame is not null
    group by all

),

program_posts as (

    select
        url_hash,
        frame,
        -- The words by which the tickets of one program differ.
        array_to_string(
            list_sort(
                list_filter(
                    words, lambda word: not list_contains(regexp_extract_all(lower(frame), '\pL{3,}'), word)
                )
            ),
            ' '
        ) as differing_words,
        as_of_date,
        collection_date,
    from program_words

)

select * from program_posts
