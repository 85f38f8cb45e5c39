-- An issue with a fault is not published. The other issues are: this test comes after the push, and so does the report.
-- depends_on: {{ ref('live_issues') }}, {{ ref('daily_report') }}
select * from {{ ref('issue_faults') }}
where cluster_date = {{ run_date() }}
