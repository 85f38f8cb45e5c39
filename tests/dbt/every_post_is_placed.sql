-- No post is lost on the way: every document of a clustered day that has a text is in a cluster.
select items.url_hash
from {{ ref('items') }} as items
inner join {{ ref('texts') }} as texts
    on items.url_hash = texts.url_hash
where
    texts.text != ''
    and items.cluster_id is null
    and texts.collection_date in (select clusters.cluster_date from {{ ref('clusters') }} as clusters)
