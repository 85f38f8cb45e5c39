-- A group of fewer voices than var problem_voices is no problem.
select
    problem_id,
    voices,
from {{ ref('problems') }}
where voices < {{ var('problem_voices') }}
