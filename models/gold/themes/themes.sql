{{ config(materialized='table') }}

with

theme_posts as (

    select * from {{ ref('theme_posts') }}

),

theme_terms as (

    select * from {{ ref('theme_terms') }}

),

problems as (

    select * from {{ ref('problems') }}

),

documents as (

    select * from {{ ref('documents') }}

),

{{ window_halves() }},

voices as (

    select
        theme_id,
        voice,
        max(collection_date) as last_seen,
    from theme_posts
    group by all

),

voice_counts as (

    select
        voices.theme_id,
        count(*) as voices,
        count(*) filter (where voices.last_seen > built.middle_date) as recent_voices,
        count(*) filter (
            where voices.last_seen between built.start_date + 1 and built.middle_date
        ) as earlier_voices,
    from voices
    cross join built
    group by all

),

counts as (

    select
        theme_posts.theme_id,
        voice_counts.voices,
        voice_counts.recent_voices,
        voice_counts.earlier_voices,
        count(*) as post_count,
        count(distinct theme_posts.source) as source_count,
        count(distinct problems.problem_id) as problem_count,
        avg(theme_posts.similarity::decimal(10, 8))::double as cohesion,
        -- Posts that were encoded with another model have no title in theme_terms.
        arg_max(
            coalesce(nullif(theme_posts.title, ''), theme_posts.excerpt),
            (coalesce(theme_posts.similarity, -1), theme_posts.url_hash)
        ) as nearest_title,
        min(theme_posts.collection_date) as first_seen,
        max(theme_posts.collection_date) as last_seen,
    from theme_posts
    inner join voice_counts on theme_posts.theme_id = voice_counts.theme_id
    left join problems on theme_posts.problem_id = problems.problem_id
    group by all

),

named as (

    select
        counts.theme_id,
        coalesce(theme_terms.terms, []) as terms,
        nullif(array_to_string(theme_terms.terms, ', '), '') as words,
        coalesce(theme_terms.title, counts.nearest_title) as central_title,
    from counts
    left join theme_terms on counts.theme_id = theme_terms.theme_id

),

themes as (

    select
        counts.theme_id,
        {{ cut("coalesce(named.words, named.central_title)", 120) }} as title,
        named.terms,
        named.central_title,
        if(counts.last_seen <= built.silent_date, 'dormant', 'active') as status,
        {{ trend('counts', 'counts.last_seen <= built.silent_date') }} as trend,
        counts.post_count,
        counts.voices,
        counts.recent_voices,
        counts.earlier_voices,
        counts.source_count,
        counts.problem_count,
        counts.cohesion,
        counts.first_seen,
        counts.last_seen,
    from counts
    inner join named on counts.theme_id = named.theme_id
    cross join built

)

select * from themes
