-- After an answer has asked for a pause, no request to the service leaves until the pause is over. A request that left
-- before the answer had arrived is none of these. One clock measures the pause, another one the times: they may differ
-- by a thousandth.
with

ingest_requests as (

    select * from {{ source('bronze', 'ingest_requests') }}

),

pauses as (

    select
        request_id,
        source,
        answered_at as starts_at,
        answered_at + to_microseconds((pause_seconds * 999000)::bigint) as ends_at,
    from ingest_requests
    where pause_seconds > 0

)

select
    ingest_requests.request_id,
    ingest_requests.source,
    ingest_requests.left_at,
    pauses.request_id as asked_for_by,
    pauses.ends_at,
from ingest_requests
inner join pauses on ingest_requests.source = pauses.source
where ingest_requests.left_at > pauses.starts_at and ingest_requests.left_at < pauses.ends_at
