-- No post is lost on the way: every document of a clustered day that has a text is in a cluster.
select items.url_hash
from {{ ref('items') }} as items
inner join {{ ref('documents') }} as documents
    on items.url_hash = documents.url_hash
where
    documents.text != ''
    and items.cluster_id is null
    and documents.collection_date in (select clusters.cluster_date from {{ ref('clusters') }} as clusters)
