{{ config(materialized='view') }}

with

problem_faults as (

    select * from {{ nearby(ref('problem_faults')) }}

),

all_problems as (

    select * from {{ nearby(ref('problems')) }}

),

-- A problem with a fault is held back.
problems as (

    select all_problems.*
    from all_problems
    anti join problem_faults on all_problems.problem_id = problem_faults.problem_id

),

problem_posts as (

    select * from {{ nearby(ref('problem_posts')) }}

),

problem_events as (

    select * from {{ nearby(ref('problem_events')) }}

),

problem_post_records as (

    select * from {{ nearby(ref('problem_post_records')) }}

),

problem_mentions as (

    select * from {{ nearby(ref('problem_mentions')) }}

),

problem_weeks as (

    select * from {{ nearby(ref('problem_weeks')) }}
    -- Half a year is enough for a picture.
    qualify row_number() over (
        partition by problem_id
        order by week_start desc
    ) <= 26

),

post_hashes as (

    select
        problem_id,
        string_agg(content_hash, '' order by record_id) as all_hashes,
    from problem_post_records
    group by all

),

sources as (

    select
        problem_id,
        source,
        count(*) as posts,
    from problem_posts
    group by all

),

source_counts as (

    select
        problem_id,
        map_from_entries(list((source, posts) order by source)) as source_counts,
    from sources
    group by all

),

day_sources as (

    select
        problem_id,
        collection_date,
        source,
        count(distinct voice) as voices,
    from problem_posts
    group by all

),

days as (

    select
        problem_id,
        collection_date,
        map_from_entries(list((source, voices) order by source)) as voices,
    from day_sources
    group by all

),

daily_voices as (

    select
        problem_id,
        map_from_entries(list((collection_date::varchar, voices) order by collection_date)) as daily_voices,
    from days
    group by all

),

claims as (

    select
        problem_id,
        unnest(quotes) as claim,
        generate_subscripts(quotes, 1) as quote_number,
    from problems

),

quotes as (

    select
        claims.problem_id,
        list(
            {
                'quote': claims.claim['quote'],
                'supports_payment': claims.claim['supports_payment'],
                'source': problem_posts.source,
                'url': problem_posts.url
            }
            order by claims.quote_number
        ) as quotes,
        string_agg(claims.claim['quote'], chr(10) order by claims.quote_number) as quoted,
    from claims
    inner join problem_posts
        on claims.problem_id = problem_posts.problem_id and claims.claim['url_hash'] = problem_posts.url_hash
    group by all

),

distinct_titles as (

    select
        problem_id,
        title,
        min(url_hash) as first_hash,
    from problem_posts
    where title != ''
    group by all

),

titles as (

    select
        problem_id,
        string_agg(title, chr(10) order by first_hash) as all_titles,
    from distinct_titles
    group by all

),

events as (

    select
        problem_id,
        list(
            { 'event': event, 'event_date': event_date, 'posts': posts, 'related_problem_id': related_problem_id }
            order by event_date, event, related_problem_id
        ) as events,
    from problem_events
    group by all

),

names as (

    select
        problem_id,
        list(
            { 'name': name, 'side': side, 'posts': posts, 'voices': voices } order by position
        ) as names,
    from problem_mentions
    group by all

),

weeks as (

    select
        problem_id,
        list(
            {
                'week_start': week_start,
                'voices': voices,
                'new_voices': new_voices,
                'total_voices': total_voices,
                'events': events
            }
            order by week_start
        ) as weeks,
    from problem_weeks
    group by all

),

fields as (

    select
        problems.problem_id as id,
        problems.title,
        problems.is_edited,
        problems.category,
        problems.description,
        {{ cut("concat_ws(chr(10), quotes.quoted, titles.all_titles)", 5000) }} as search_text,
        problems.impact_level,
        problems.labeler,
        problems.status,
        problems.trend,
        problems.post_count,
        problems.voices,
        problems.weak_voices,
        problems.wordings,
        problems.accounts,
        problems.new_accounts,
        problems.posts_in_hour,
        problems.paying_voices,
        problems.recent_voices,
        problems.earlier_voices,
        problems.source_count,
        problems.days_seen,
        problems.cohesion,
        problems.agreement,
        problems.tier,
        problems.demand_score,
        problems.voices_score,
        problems.engagement_score,
        problems.sources_score,
        problems.persistence_score,
        problems.payment_score,
        problems.certainty_score,
        problems.urgency_score,
        problems.agreement_score,
        problems.would_pay_signal,
        problems.is_from_program,
        problems.is_burst,
        source_counts.source_counts,
        coalesce(quotes.quotes, []) as quotes,
        coalesce(names.names, []) as names,
        daily_voices.daily_voices,
        coalesce(weeks.weeks, []) as weeks,
        events.events,
        problems.first_seen,
        problems.last_seen,
    from problems
    inner join source_counts on problems.problem_id = source_counts.problem_id
    inner join daily_voices on problems.problem_id = daily_voices.problem_id
    inner join events on problems.problem_id = events.problem_id
    left join quotes on problems.problem_id = quotes.problem_id
    left join weeks on problems.problem_id = weeks.problem_id
    left join names on problems.problem_id = names.problem_id
    left join titles on problems.problem_id = titles.problem_id

),

records as (

    select
        *,
        to_json(fields) as record,
    from fields

),

problem_records as (

    select
        records.id as record_id,
        sha256(records.record::varchar || coalesce(post_hashes.all_hashes, '')) as content_hash,
        records.record,
        row_number() over (
            order by records.is_from_program asc, records.is_burst asc, records.demand_score desc, records.id asc
        ) as push_rank,
    from records
    left join post_hashes on records.id = post_hashes.problem_id

)

select * from problem_records
