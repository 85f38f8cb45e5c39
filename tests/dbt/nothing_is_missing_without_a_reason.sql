-- Where a service gave fewer posts than it reported, the window says why. One without a reason has been left
-- in the middle by a run that was killed: collect the day again, which goes on from there.
select
    windows.source,
    windows.query,
    windows.reported_total,
    windows.fetched,
    windows.status,
    windows.collection_date,
    windows.window_start,
from {{ source('bronze', 'ingest_windows') }} as windows
where
    windows.fetched < windows.reported_total
    and windows.error is null
