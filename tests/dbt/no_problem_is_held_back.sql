-- A problem with a fault is not published. The other problems are: this test comes after the push and the report.
-- depends_on: {{ ref('live_problems') }}, {{ ref('daily_report') }}
select
    problem_id,
    fault,
from {{ ref('problem_faults') }}
