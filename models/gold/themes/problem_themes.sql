{{ config(materialized='view') }}

with

theme_posts as (

    select * from {{ nearby(ref('theme_posts')) }}

),

shared_posts as (

    select
        problem_id,
        theme_id,
        count(*) as post_count,
    from theme_posts
    where problem_id is not null
    group by all

),

-- Posts that have left the window stay where they were, so a problem can have posts in several themes.
problem_themes as (

    select
        problem_id,
        theme_id,
        post_count,
    from shared_posts
    qualify row_number() over (
        partition by problem_id
        order by post_count desc, theme_id asc
    ) = 1

)

select * from problem_themes
