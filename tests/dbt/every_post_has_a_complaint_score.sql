{{ config(tags=['of_day']) }}

-- Every post of the day that has a text has a score, between 0 and 1. (Days built before there were scores have none.)
select
    documents.url_hash,
    documents.complaint_score,
from {{ ref('documents') }} as documents
where
    documents.collection_date = {{ run_date() }}
    and documents.text != ''
    and (documents.complaint_score is null or documents.complaint_score not between 0 and 1)
