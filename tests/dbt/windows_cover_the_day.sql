-- The windows of a query cover its day from end to end: none is missing between two others, none overlap.
with

ingest_windows as (

    select * from {{ source('bronze', 'ingest_windows') }}

),

neighbours as (

    select
        source,
        query,
        collection_date,
        window_start,
        window_end,
        coalesce(lag(window_end) over day_of_query, collection_date::timestamp) as covered_until,
        lead(window_start) over day_of_query as next_start,
    from ingest_windows
    window day_of_query as (partition by source, collection_date, query order by window_start)

)

select *
from neighbours
where
    window_start != covered_until
    or (next_start is null and window_end != collection_date + interval 1 day)
