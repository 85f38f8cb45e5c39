{#-
    The CTEs halves and built: the two halves of the window of problem_window_days that ends with the latest day, and how
    many days of each half were built. A day of the window may be missing. CTE `documents` has all posts.
-#}
{% macro window_halves() -%}
    halves as (

    select
        max(collection_date) as latest_date,
        latest_date - {{ (var('problem_window_days') | int) // 2 }} as middle_date,
        middle_date - {{ (var('problem_window_days') | int) // 2 }} as start_date,
        latest_date - {{ var('problem_window_days') }} as silent_date,
    from documents

),

built as (

    select
        halves.middle_date,
        halves.start_date,
        halves.silent_date,
        count(distinct documents.collection_date) filter (
            where documents.collection_date > halves.middle_date
        ) as recent_days,
        count(distinct documents.collection_date) filter (
            where documents.collection_date between halves.start_date + 1 and halves.middle_date
        ) as earlier_days,
    from documents
    cross join halves
    group by all

)
{%- endmacro %}
