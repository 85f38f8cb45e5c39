-- A problem that has as much of everything as another one has no lower demand score. (Each score is rounded to 0.01.)
with

problems as (

    select * from {{ ref('problems') }}

)

select
    problems.problem_id,
    problems.demand_score,
    weaker.problem_id as weaker_problem_id,
    weaker.demand_score as weaker_demand_score,
from problems
inner join problems as weaker
    on
        problems.voices_score >= weaker.voices_score
        and problems.payment_score >= weaker.payment_score
        and problems.source_count >= weaker.source_count
        and problems.days_seen >= weaker.days_seen
        and problems.engagement_score >= weaker.engagement_score
        and problems.certainty_score >= weaker.certainty_score
        and problems.urgency_score >= weaker.urgency_score
        and problems.agreement_score >= weaker.agreement_score
        and problems.demand_score < weaker.demand_score - 0.02
