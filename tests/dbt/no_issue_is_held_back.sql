{{ config(tags=['of_day']) }}

-- An issue with a fault is not published. The other issues are: this test comes after the push and the report.
-- depends_on: {{ ref('live_issues') }}, {{ ref('daily_report') }}
select
    issue_id,
    fault,
from {{ ref('issue_faults') }}
where cluster_date = {{ run_date() }}
