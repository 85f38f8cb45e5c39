{{ config(materialized='view') }}

with

problem_posts as (

    select * from {{ nearby(ref('problem_posts')) }}

),

items as (

    select * from {{ nearby(ref('items')) }}

),

issues as (

    select * from {{ nearby(ref('issues')) }}

),

problem_issues as (

    select
        problem_posts.problem_id,
        issues.issue_id,
        issues.cluster_id,
        count(*) as post_count,
        issues.cluster_date,
    from problem_posts
    inner join items on problem_posts.url_hash = items.url_hash
    inner join issues on items.cluster_date = issues.cluster_date and items.cluster_id = issues.cluster_id
    group by all

)

select * from problem_issues
