{{ config(materialized='view') }}

with

label_attempts as (

    select * from {{ ref('label_attempts').include(database=false) }}

),

label_costs as (

    select
        case when problem_id is null then {{ record_id(['cluster_date', 'cluster_id']) }} end as issue_id,
        cluster_id,
        problem_id,
        labeler,
        count(*) as attempts,
        sum(tokens_in)::bigint as tokens_in,
        sum(tokens_out)::bigint as tokens_out,
        sum(cost_usd::decimal(18, 9))::double as cost_usd,
        count(*) filter (where cost_usd is null) as unpriced_attempts,
        cluster_date,
        attempted_at::date as spent_date,
    from label_attempts
    group by all

)

select
    issue_id,
    cluster_id,
    problem_id,
    labeler,
    attempts,
    tokens_in,
    tokens_out,
    cost_usd,
    unpriced_attempts,
    cluster_date,
    spent_date,
from label_costs
