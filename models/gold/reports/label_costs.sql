{{ config(materialized='view') }}

with

issue_label_attempts as (

    select * from {{ nearby(ref('issue_label_attempts')) }}

),

problem_label_attempts as (

    select * from {{ nearby(ref('problem_label_attempts')) }}

),

opinion_attempts as (

    select * from {{ nearby(ref('opinion_attempts')) }}

),

pair_attempts as (

    select * from {{ nearby(ref('pair_attempts')) }}

),

attempts as (

    select
        *,
        'issue' as purpose,
    from issue_label_attempts
    union all by name
    select
        *,
        'problem' as purpose,
    from problem_label_attempts
    union all by name
    select
        *,
        'opinion' as purpose,
    from opinion_attempts
    union all by name
    select
        *,
        'pair' as purpose,
    from pair_attempts

),

label_costs as (

    select
        case when purpose = 'issue' then {{ record_id(['cluster_date', 'cluster_id']) }} end as issue_id,
        cluster_id,
        problem_id,
        labeler,
        purpose,
        count(*) as attempts,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(cost_usd::decimal(18, 9))::double as cost_usd,
        count(*) filter (where cost_usd is null) as unpriced_attempts,
        cluster_date,
        attempted_at::date as spent_date,
    from attempts
    group by all

)

select * from label_costs
