-- A problem with a fault is not published. The other problems are: this test comes after the push, and so does the report.
-- depends_on: {{ ref('live_problems') }}, {{ ref('daily_report') }}
select * from {{ ref('problem_faults') }}
