-- No complaint of the day is passed over, be it that it stays alone.
select documents.url_hash
from {{ ref('documents') }} as documents
left join {{ ref('problem_assignments') }} as problem_assignments
    on
        documents.url_hash = problem_assignments.url_hash
        and documents.collection_date = problem_assignments.as_of_date
where
    documents.collection_date = {{ run_date() }}
    and documents.complaint_score >= {{ var('complaint_threshold') }}
    and documents.text != ''
    and problem_assignments.url_hash is null
