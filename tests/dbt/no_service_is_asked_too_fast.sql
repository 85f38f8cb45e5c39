-- In any span no more requests leave than the service allows: each is a span or more later than the one that
-- came as many requests before it as are allowed.
with

ingest_requests as (

    select * from {{ source('bronze', 'ingest_requests') }}

),

spaced as (

    select
        request_id,
        source,
        url,
        allowance,
        span_seconds,
        requested_at,
        lag(requested_at, allowance) over (partition by source order by requested_at, request_id) as span_start,
    from ingest_requests

)

select *
from spaced
where requested_at < span_start + to_microseconds((span_seconds * 1000000)::bigint)
