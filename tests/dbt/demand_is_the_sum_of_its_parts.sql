-- What a problem ranks by is what its columns show.
select
    problem_id,
    demand_score,
from {{ ref('problems') }}
where
    abs(
        demand_score
        - (voices_score + engagement_score + sources_score + persistence_score)
        - (payment_score + certainty_score + agreement_score)
    ) > 0.011
