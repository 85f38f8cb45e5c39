-- Every quote stands, letter by letter, in the text of the post that it is said to be from.
select
    issue_evidence.evidence_id,
    issue_evidence.quote,
from {{ ref('issue_evidence') }} as issue_evidence
inner join {{ ref('documents') }} as documents on issue_evidence.url_hash = documents.url_hash
where
    documents.collection_date = {{ run_date() }}
    and position(issue_evidence.quote in documents.text) = 0
