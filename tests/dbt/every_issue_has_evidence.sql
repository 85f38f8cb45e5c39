-- Every issue has as many posts behind it as its cluster_size says, and therefore at least one.
select
    issues.issue_id,
    issues.cluster_size,
    count(issue_evidence.evidence_id) as posts,
from {{ ref('issues') }} as issues
left join {{ ref('issue_evidence') }} as issue_evidence
    on issues.issue_id = issue_evidence.issue_id
group by all
having posts = 0 or posts != issues.cluster_size
