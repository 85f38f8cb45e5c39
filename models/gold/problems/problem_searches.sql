{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='search_date') }}

with

documents as (

    select * from {{ ref('documents') }}
    where
        collection_date > {{ run_date() }} - {{ var('problem_window_days') }}
        and collection_date <= {{ run_date() }}

),

near_complaints as (

    select * from {{ ref('near_complaints') }}
    where as_of_date = {{ run_date() }}

),

problem_candidates as (

    select * from {{ ref('problem_candidates') }}
    where
        collection_date > {{ run_date() }} - {{ var('problem_window_days') }}
        and collection_date <= {{ run_date() }}

),

problem_labels as (

    select * from {{ ref('problem_labels') }}

),

all_problems as (

    select * from {{ ref('problems') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}
    where
        collection_date > {{ run_date() }} - {{ var('problem_window_days') }}
        and collection_date <= {{ run_date() }}

),

problem_events as (

    select * from {{ ref('problem_events') }}
    where event = 'opened' and event_date <= {{ run_date() }}

),

problem_tiers as (

    select * from {{ ref('problem_tiers') }}

),

all_sources as (

    select * from {{ ref('sources') }}

),

counts as (

    select
        count(*) filter (where collection_date = {{ run_date() }}) as posts,
        count(*) filter (
            where collection_date = {{ run_date() }} and complaint_score >= {{ var('complaint_threshold') }}
        ) as complaints,
        count(*) as window_posts,
        count(*) filter (where complaint_score >= {{ var('complaint_threshold') }}) as window_complaints,
        count(second_opinion) as second_opinions,
        count(distinct collection_date) as window_days,
        count(distinct source) filter (where collection_date = {{ run_date() }}) as source_count,
    from documents

),

published as (

    select count(distinct problem_posts.problem_id) as problems
    from problem_posts
    inner join all_problems on problem_posts.problem_id = all_problems.problem_id
    inner join problem_events on problem_posts.problem_id = problem_events.problem_id

),

-- Each pair is counted from both of its posts.
pairs as (

    select (coalesce(sum(near_posts), 0) / 2)::bigint as near_pairs
    from near_complaints

),

limits as (

    select coalesce(max(least_chance), 1)::double as least_chance
    from problem_tiers
    where tier = '{{ var("problem_tier") }}'

),

looser as (

    select
        string_agg(problem_tiers.tier, ' or ' order by problem_tiers.least_chance desc) as looser_tiers,
        arg_min(problem_tiers.tier, problem_tiers.least_chance) as loosest_tier,
    from problem_tiers
    inner join limits on problem_tiers.least_chance < limits.least_chance

),

built_days as (

    select
        min(collection_date) as first_day,
        list(distinct collection_date) as known_days,
    from documents

),

window_days as (

    select ({{ run_date() }} - unnest(range({{ var('problem_window_days') }}))::integer)::date as window_day

),

-- The latest day of the window without posts.
missing_days as (

    select max(window_days.window_day) as missing_day
    from window_days
    cross join built_days
    where not coalesce(list_contains(built_days.known_days, window_days.window_day), false)

),

missing_sources as (

    select
        string_agg(label, ', ' order by name) as labels,
        string_agg('--source ' || name, ' ' order by name) as source_options,
    from all_sources
    where name not in (
        select documents.source from documents
        where documents.collection_date = {{ run_date() }}
    )

),

alone as (

    select
        near_complaints.group_hash,
        near_complaints.voice,
        documents.complaint_score >= {{ var('complaint_threshold') }} as complains,
        near_complaints.chance,
        near_complaints.url_hash,
        coalesce(nullif(documents.redacted_title, ''), documents.excerpt) as title,
        documents.source,
        documents.collection_date,
    from near_complaints
    inner join documents on near_complaints.url_hash = documents.url_hash
    where near_complaints.group_hash is not null

),

loose_groups as (

    select
        group_hash as group_id,
        count(*) as posts,
        count(distinct voice) as voices,
        count(distinct voice) filter (where complains) as complaining_voices,
        count(distinct source) as source_count,
        max(chance) as chance,
        list(title order by collection_date, url_hash)[:3] as titles,
    from alone
    group by all

),

-- Groups that silver.problem_assignments has found, and that are no problem of gold.
unpublished as (

    select
        problem_candidates.problem_id as group_id,
        count(*) as posts,
        count(distinct problem_candidates.voice) filter (
            where problem_candidates.addresses_model is not true
        ) as voices,
        count(distinct problem_candidates.source) as source_count,
        avg(problem_candidates.chance::decimal(10, 8))::double as chance,
        list(
            coalesce(nullif(problem_candidates.title, ''), problem_candidates.excerpt)
            order by problem_candidates.collection_date, problem_candidates.url_hash
        )[:3] as titles,
    from problem_candidates
    anti join all_problems on problem_candidates.problem_id = all_problems.problem_id
    group by all

),

near_groups as (

    select
        loose_groups.* exclude (complaining_voices),  -- noqa: RF02
        case
            when loose_groups.voices < {{ var('problem_voices') }} then 'too few voices'
            when loose_groups.chance < limits.least_chance then 'not sure enough'
            -- COMPLAINING_VOICES of silver.problem_assignments.
            when loose_groups.complaining_voices < 2 then 'too few complaints'
            else 'not regrouped'
        end as reason,
    from loose_groups
    cross join limits

    union all

    select
        unpublished.*,
        case
            when problem_labels.status = 'mixed' then 'mixed'
            when unpublished.voices < {{ var('problem_voices') }} then 'too few voices'
            when problem_labels.status = 'failed' then 'label failed'
            when problem_labels.status = 'waiting' then 'label waits'
            else 'too few voices'
        end as reason,
    from unpublished
    left join problem_labels on unpublished.group_id = problem_labels.problem_id

),

ranked as (

    select
        near_groups.*,
        limits.least_chance,
        -- Nearer to a problem is the group with more of the voices that it needs, then the surer one.
        row_number() over (
            order by
                least(near_groups.voices, {{ var('problem_voices') }}) desc,
                near_groups.chance desc,
                near_groups.voices desc,
                near_groups.group_id asc
        ) as place,
    from near_groups
    cross join limits

),

nearest as (

    select
        coalesce(
            list(
                {
                    'titles': list_transform(
                        titles,
                        lambda title: {{ cut("trim(regexp_replace(title, '[\\pC\\s]+', ' ', 'g'))", 80) }}
                    ),
                    'posts': posts,
                    'voices': voices,
                    'source_count': source_count,
                    'chance': chance,
                    'reason': reason
                }
                order by place
            ) filter (where place <= 5),
            []
        ) as nearest_groups,
        -- What the two vars would change.
        count(*) filter (where reason = 'not sure enough') as unsure_groups,
        count(*) filter (where reason = 'too few voices' and voices = 2 and chance >= least_chance) as pairs_of_voices,
        count(*) filter (where reason in ('label failed', 'label waits')) as unlabelled_groups,
    from ranked

),

-- A sentence without its facts is null.
sentences as (

    select
        [
            if(
                nearest.unlabelled_groups > 0,
                'Labels: groups that are published when a language model has labelled them: '
                || nearest.unlabelled_groups || '.',
                null
            ),
            'More days: ' || counts.window_days || ' of the last {{ var("problem_window_days") }} days have posts. '
            || 'This adds a day: python -m groundswell day --date ' || missing_days.missing_day,
            'More sources: this day has no posts from ' || missing_sources.labels
            || '. This collects them: python -m ingest --date ' || {{ run_date() }} || ' '
            || missing_sources.source_options,
            if(
                nearest.unsure_groups > 0,
                'A looser tier: groups with enough voices that are not sure enough: ' || nearest.unsure_groups
                || '. Var problem_tier can be ' || looser.looser_tiers
                || '. This groups the window again: python -m groundswell build --date ' || built_days.first_day
                || ' --vars ''problem_tier: ' || looser.loosest_tier || '''',
                null
            ),
            if(
                nearest.pairs_of_voices > 0 and {{ var('problem_voices') }} > 2,
                'Fewer voices: groups of two voices that are sure enough: ' || nearest.pairs_of_voices
                || '. This groups the window again: python -m groundswell build --date ' || built_days.first_day
                || ' --vars ''problem_voices: 2''',
                null
            ),
            if(
                counts.second_opinions = 0,
                'A language model: with LLM_MODEL and var second_opinion_margin, a model judges whether the posts '
                || 'complain of which the built-in score is unsure.',
                null
            )
        ] as all_sentences,
    from counts
    cross join nearest
    cross join looser
    cross join built_days
    cross join missing_days
    cross join missing_sources

),

advice as (

    select list_filter(all_sentences, lambda sentence: sentence is not null) as advice
    from sentences

),

problem_searches as (

    select
        {{ run_date() }} as search_date,
        '{{ var("problem_tier") }}' as tier,
        nearest.nearest_groups,
        advice.advice,
        counts.posts,
        counts.complaints,
        counts.source_count,
        counts.window_posts,
        counts.window_complaints,
        counts.window_days,
        pairs.near_pairs,
        published.problems,
        nearest.unsure_groups,
        nearest.pairs_of_voices,
        nearest.unlabelled_groups,
        {{ var('problem_voices') }}::bigint as least_voices,
        {{ var('problem_window_days') }}::bigint as longest_window,
        limits.least_chance,
    from counts
    cross join pairs
    cross join published
    cross join nearest
    cross join limits
    cross join advice

)

select * from problem_searches
