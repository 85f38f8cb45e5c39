-- Nobody is said to pay without a post that is quoted for it.
select
    issues.issue_id,
    issues.canonical_title,
from {{ ref('issues') }} as issues
where
    issues.cluster_date = {{ run_date() }}
    and issues.would_pay_signal
    and issues.issue_id not in (
        select issue_evidence.issue_id
        from {{ ref('issue_evidence') }} as issue_evidence
        where issue_evidence.supports_payment and issue_evidence.quote is not null
    )
