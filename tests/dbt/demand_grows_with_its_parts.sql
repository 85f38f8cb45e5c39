-- A problem that has as much of everything as another one has no lower demand score. (Each score is rounded to 0.01.)
with

problems as (

    select * from {{ ref('problems') }}

)

select
    problems.problem_id,
    problems.demand_score,
    others.problem_id as other_problem_id,
    others.demand_score as other_demand_score,
from problems
inner join problems as others
    on
        problems.voices >= others.voices
        and problems.paying_voices >= others.paying_voices
        and problems.source_count >= others.source_count
        and problems.days_seen >= others.days_seen
        and problems.engagement_score >= others.engagement_score
        and problems.certainty_score >= others.certainty_score
        and problems.agreement_score >= others.agreement_score
        and problems.demand_score < others.demand_score - 0.02
