{{
    config(
        materialized='incremental',
        incremental_strategy='replace_day',
        unique_key='report_date',
        post_hook='{{ recount_events() }}',
    )
}}

with

documents as (

    select * from {{ ref('documents') }}
    where collection_date = {{ run_date() }}

),

items as (

    select * from {{ ref('items') }}
    where cluster_date = {{ run_date() }}

),

issue_labels as (

    select * from {{ ref('issue_labels') }}
    where cluster_date = {{ run_date() }}

),

label_costs as (

    select * from {{ ref('label_costs') }}
    where spent_date = (now() at time zone 'UTC')::date

),

problem_events as (

    select * from {{ ref('problem_events') }}
    where event_date = {{ run_date() }}

),

problem_labels as (

    select * from {{ ref('problem_labels') }}

),

live_issues as (

    select * from {{ ref('live_issues') }}
    where cluster_date = {{ run_date() }}

),

program_posts as (

    select * from {{ ref('program_posts') }}
    where collection_date = {{ run_date() }}

),

collected as (

    select * from {{ ref('posts') }}
    where collection_date = {{ run_date() }}

),

posts as (

    select
        count(*) as posts,
        count(*) filter (where complaint_score >= {{ var('complaint_threshold') }}) as complaints,
        count(second_opinion) as second_opinions,
        count(duplicate_of) as duplicates,
    from documents

),

by_programs as (

    select count(*) as posts_from_programs
    from program_posts

),

posts_by_source as (

    select
        source,
        count(*) as posts,
    from documents
    group by all

),

sources as (

    select coalesce(map_from_entries(list((source, posts) order by source)), map { }) as source_counts
    from posts_by_source

),

placed as (

    select
        count(*) filter (where is_outlier) as outliers,
        count(distinct cluster_id) as clusters,
    from items

),

labels as (

    select
        count(*) filter (where status = 'labelled') as issues_labelled,
        count(*) filter (where status = 'failed') as issues_failed,
        count(*) filter (where status = 'waiting') as issues_waiting,
    from issue_labels

),

labels_of_problems as (

    select
        count(*) filter (where status = 'labelled') as problems_labelled,
        count(*) filter (where status = 'mixed') as problems_mixed,
        count(*) filter (where status = 'failed') as problems_failed,
        count(*) filter (where status = 'waiting') as problems_waiting,
    from problem_labels

),

costs as (

    select coalesce(sum(cost_usd::decimal(18, 9)), 0)::double as spent_today_usd
    from label_costs

),

events as (

    select
        count(*) filter (where event = 'opened') as problems_opened,
        count(*) filter (where event = 'continued') as problems_continued,
        count(*) filter (where event = 'reopened') as problems_reopened,
        count(*) filter (where event = 'merged into') as problems_merged,
        count(*) filter (where event = 'split from') as problems_split,
        count(*) filter (where event = 'dormant') as problems_dormant,
        count(*) filter (where event = 'closed') as problems_closed,
    from problem_events

),

fingerprints as (

    select bit_xor(post_hash)::varchar as posts_hash
    from collected

),

synced as (

    select count(synced_at) filter (where action is distinct from 'delete') as issues_synced
    from live_issues

),

daily_report as (

    select
        {{ run_date() }} as report_date,
        posts.posts,
        sources.source_counts,
        posts.complaints,
        posts.second_opinions,
        posts.duplicates,
        by_programs.posts_from_programs,
        placed.*,
        labels.*,
        labels_of_problems.*,
        costs.*,
        events.*,
        synced.*,
        fingerprints.posts_hash,
    from posts
    cross join sources
    cross join by_programs
    cross join placed
    cross join labels
    cross join labels_of_problems
    cross join costs
    cross join events
    cross join synced
    cross join fingerprints

)

select * from daily_report
