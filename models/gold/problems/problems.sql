{{ config(materialized='table') }}

with

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

problem_wordings as (

    select * from {{ ref('problem_wordings') }}

),

problem_hours as (

    select * from {{ ref('problem_hours') }}

),

copy_limits as (

    select * from {{ ref('copy_limits') }}

),

problem_labels as (

    select * from {{ ref('problem_labels') }}
    where status = 'labelled'

),

problem_events as (

    select * from {{ ref('problem_events') }}

),

documents as (

    select * from {{ ref('documents') }}

),

problem_tiers as (

    select * from {{ ref('problem_tiers') }}

),

corrections as (

    select * from {{ ref('corrections') }}

),

-- What people said of a problem. A problem that was merged or that a split opened is corrected too.
edits as (

    select
        unnest([problem_id, other_problem_id]) as problem_id,
        kind = 'dismiss' as is_dismissed,
        title,
    from corrections

),

corrected as (

    select
        problem_id,
        bool_or(is_dismissed) as is_dismissed,
        max(title) as title,
    from edits
    where problem_id is not null
    group by all

),

{{ window_halves() }},

closed as (

    select problem_id
    from problem_events
    where event in ('opened', 'continued', 'reopened', 'closed')
    group by all
    having arg_max(event, (event_date, event = 'closed')) = 'closed'

),

-- The values of a voice are those of all its posts, without posts that address a language model.
voices as (

    select
        problem_id,
        voice,
        sum(coalesce(comment_count, 0) + greatest(coalesce(vote_count, 0), 0)) as engagement,
        bool_or(payment_quote is not null) as pays,
        bool_and(is_weak) as is_weak,
        max(complaint_score) as certainty,
        avg(chance::decimal(10, 8)) as chance,
        max(collection_date) as last_seen,
    from problem_posts
    where addresses_model is not true
    group by all

),

-- Of the voices with borrowed words, the demand hears one.
heard as (

    select
        problem_id,
        voice,
    from problem_wordings
    where is_wording

),

voice_counts as (

    select
        voices.problem_id,
        count(*) as voices,
        count(*) filter (where voices.is_weak) as weak_voices,
        count(*) filter (where heard.voice is not null) as wordings,
        count(*) filter (where heard.voice is not null and voices.is_weak is not true) as complaining_wordings,
        -- With the logarithm, one viral post adds about as much as two or three posts that few people have seen.
        sum(ln(1 + voices.engagement)::decimal(10, 6)) filter (where heard.voice is not null) as engagement,
        avg(voices.certainty::decimal(10, 8)) filter (where heard.voice is not null) as certainty,
        avg(voices.chance::decimal(10, 8))::double as agreement,
        count(*) filter (where voices.pays) as paying_voices,
        count(*) filter (where voices.pays and heard.voice is not null) as paying_wordings,
        count(*) filter (where voices.last_seen > built.middle_date) as recent_voices,
        count(*) filter (
            where voices.last_seen between built.start_date + 1 and built.middle_date
        ) as earlier_voices,
    from voices
    left join heard on voices.problem_id = heard.problem_id and voices.voice = heard.voice
    cross join built
    group by all

),

account_counts as (

    select
        problem_id,
        count(distinct author_number) as accounts,
        count(distinct author_number) filter (where is_comparable) as comparable_accounts,
        count(distinct author_number) filter (where is_new_account) as new_accounts,
        count(distinct author_number) filter (where is_new_account is not false) as young_accounts,
        max(posts_in_hour) as posts_in_hour,
    from problem_wordings
    group by all

),

-- A burst of copies has many accounts without earlier posts, few wordings, and little time.
bursts as (

    select
        account_counts.problem_id,
        account_counts.accounts,
        account_counts.new_accounts,
        account_counts.posts_in_hour,
        -- The doublings of the limit: what is usual within an hour is not urgent.
        log2(greatest(problem_hours.wordings_in_hour / copy_limits.posts_an_hour, 1)) as doublings,
        account_counts.comparable_accounts >= voice_counts.wordings * copy_limits.accounts_a_wording
        and account_counts.young_accounts * 2 > account_counts.accounts
        and account_counts.posts_in_hour >= copy_limits.posts_an_hour as is_burst,
    from account_counts
    inner join voice_counts on account_counts.problem_id = voice_counts.problem_id
    left join problem_hours on account_counts.problem_id = problem_hours.problem_id
    cross join copy_limits

),

post_counts as (

    select
        problem_id,
        count(*) as post_count,
        count(distinct source) as source_count,
        count(distinct collection_date) as days_seen,
        avg(similarity::decimal(10, 8))::double as cohesion,
        2 * count(*) filter (where is_from_program) > count(*) as is_from_program,
        min(collection_date) as first_seen,
        max(collection_date) as last_seen,
    from problem_posts
    group by all

),

posts_now as (

    select
        problem_posts.problem_id,
        problem_posts.url_hash,
        documents.text,
    from problem_posts
    inner join documents on problem_posts.url_hash = documents.url_hash

),

{{ standing_quotes('problem_labels', 'posts_now', ['problem_id']) }},

-- The parts of the demand score. Counts have a logarithm, so that large counts do not dominate. Certainty and
-- agreement are means.
demand as (

    select
        post_counts.*,
        voice_counts.voices,
        voice_counts.weak_voices,
        voice_counts.wordings,
        bursts.accounts,
        bursts.new_accounts,
        bursts.posts_in_hour,
        coalesce(bursts.is_burst, false) as is_burst,
        voice_counts.paying_voices,
        voice_counts.recent_voices,
        voice_counts.earlier_voices,
        -- Two complaints do not speak for any number of posts that hardly complain.
        round(
            4 * log2(1 + least(voice_counts.wordings, 2 * voice_counts.complaining_wordings)), 2
        ) as voices_score,
        round(log2(1 + coalesce(voice_counts.engagement, 0)), 2) as engagement_score,
        round(2 * (post_counts.source_count - 1), 2)::double as sources_score,
        round(2 * log2(post_counts.days_seen), 2) as persistence_score,
        round(2 * log2(1 + voice_counts.paying_wordings), 2) as payment_score,
        round(20 * greatest(voice_counts.certainty - 0.75, 0), 2) as certainty_score,
        voice_counts.agreement,
        if(bursts.is_burst, 0, round(8 * coalesce(bursts.doublings, 0), 2)) as urgency_score,
        -- Copies agree with themselves.
        if(bursts.is_burst, 0, round(16 * coalesce(voice_counts.agreement, 0), 2)) as agreement_score,
    from post_counts
    inner join voice_counts on post_counts.problem_id = voice_counts.problem_id
    left join bursts on post_counts.problem_id = bursts.problem_id

),

-- The surest tier that the agreement reaches.
tiers as (

    select
        demand.problem_id,
        coalesce(arg_max(problem_tiers.tier, problem_tiers.least_chance), 'emerging') as tier,
    from demand
    left join problem_tiers on demand.agreement >= problem_tiers.least_chance
    group by all

),

problems as (

    select
        demand.problem_id,
        coalesce(corrected.title, problem_labels.canonical_title) as title,
        corrected.problem_id is not null as is_edited,
        problem_labels.category,
        problem_labels.description,
        problem_labels.impact_level,
        problem_labels.labeler,
        coalesce(standing.quotes, []) as quotes,
        case
            when closed.problem_id is not null then 'closed'
            when demand.last_seen <= built.silent_date then 'dormant'
            else 'active'
        end as status,
        {{ trend('demand', 'closed.problem_id is not null or demand.last_seen <= built.silent_date') }} as trend,
        demand.post_count,
        demand.voices,
        demand.weak_voices,
        demand.wordings,
        demand.accounts,
        demand.new_accounts,
        demand.posts_in_hour,
        demand.paying_voices,
        demand.recent_voices,
        demand.earlier_voices,
        demand.source_count,
        demand.days_seen,
        demand.cohesion,
        demand.agreement,
        tiers.tier,
        round(
            demand.voices_score
            + demand.engagement_score
            + demand.sources_score
            + demand.persistence_score
            + demand.payment_score
            + demand.certainty_score
            + demand.urgency_score
            + demand.agreement_score,
            2
        ) as demand_score,
        demand.voices_score,
        demand.engagement_score,
        demand.sources_score,
        demand.persistence_score,
        demand.payment_score,
        demand.certainty_score,
        demand.urgency_score,
        demand.agreement_score,
        problem_labels.would_pay_signal and coalesce(standing.has_payment, false) as would_pay_signal,
        demand.is_from_program,
        demand.is_burst,
        demand.first_seen,
        demand.last_seen,
    from demand
    inner join tiers on demand.problem_id = tiers.problem_id
    inner join problem_labels on demand.problem_id = problem_labels.problem_id
    left join standing on demand.problem_id = standing.problem_id
    left join closed on demand.problem_id = closed.problem_id
    left join corrected on demand.problem_id = corrected.problem_id
    cross join built
    where corrected.is_dismissed is not true

)

select * from problems
