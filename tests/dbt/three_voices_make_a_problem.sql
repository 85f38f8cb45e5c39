-- What fewer than three people say is no problem.
select
    problem_id,
    voices,
from {{ ref('problems') }}
where voices < 3
