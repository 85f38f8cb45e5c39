-- No post of the day is without a score. (Days that were built before there were scores have none.)
select documents.url_hash
from {{ ref('documents') }} as documents
where documents.collection_date = {{ run_date() }} and documents.complaint_score is null
