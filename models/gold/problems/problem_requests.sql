{{ config(materialized='table') }}

with

problem_candidates as (

    select * from {{ ref('problem_candidates') }}

),

documents as (

    select * from {{ ref('documents') }}

),

post_signals as (

    select * from {{ ref('post_signals') }}

),

categories as (

    select * from {{ ref('categories') }}

),

-- A voice is heard once; posts that speak to a language model are neither shown to one nor quoted.
heard as (

    select
        problem_candidates.problem_id,
        problem_candidates.url_hash,
        problem_candidates.source,
        problem_candidates.similarity,
        documents.text,
        -- A title of a word or two names no problem; nor does a web address.
        coalesce(nullif(documents.title, ''), documents.text) as title,
        length(documents.title) >= 15
        and contains(documents.title, ' ')
        and not regexp_matches(documents.title, '(?i)https?:|www\.|[<>]') as is_named,
        documents.excerpt,
        post_signals.category_probabilities,
        post_signals.impact_probabilities,
        post_signals.payment_quote,
    from problem_candidates
    inner join documents on problem_candidates.url_hash = documents.url_hash
    inner join post_signals on problem_candidates.url_hash = post_signals.url_hash
    where problem_candidates.is_first_of_voice and problem_candidates.addresses_model is not true

),

posts as (

    select
        problem_id,
        list(url_hash order by url_hash) as url_hashes,
        count(*) filter (where is_first_of_voice and addresses_model is not true) as voices,
        max(collection_date) as last_seen,
    from problem_candidates
    group by all
    having voices >= 3

),

{{ elected('heard', ['problem_id']) }},

ranked as (

    select
        *,
        row_number() over (
            partition by problem_id
            order by is_named desc, similarity desc, url_hash asc
        ) as title_place,
        row_number() over (
            partition by problem_id
            order by payment_quote is null, similarity desc, url_hash asc
        ) as payment_place,
        row_number() over (
            partition by problem_id
            order by similarity desc, url_hash asc
        ) as place,
    from heard

),

-- Thirty posts: two that speak of paying, where there are any, then the most central. Others could not be told to be
-- strays.
chosen as (

    select * from ranked
    qualify row_number() over (
        partition by problem_id
        order by payment_quote is not null and payment_place <= 2 desc, place asc
    ) <= 30

),

samples as (

    select
        *,
        row_number() over (
            partition by problem_id
            order by similarity desc, url_hash asc
        ) as sample_number,
        {{ shown_text('text', 'payment_quote') }} as shown_text,
    from chosen

),

prompts as (

    select
        problem_id,
        {{ shown_posts() }},
    from samples
    group by all

),

-- The label that needs no language model: the title of the most central post, and what it says first.
extracts as (

    select
        problem_id,
        min_by(title, title_place) as title,
        coalesce(
            min_by(nullif(trim(regexp_extract(excerpt, '^.{20,}?[.!?…](?:\s|$)', 0, 's')), ''), place),
            min_by(title, title_place)
        ) as description,
        count(payment_quote) as paying_voices,
        count(payment_quote) >= 3 or count(payment_quote) >= 0.1 * count(*) as would_pay_signal,
        list(
            { 'url_hash': url_hash, 'quote': trim(left(title, 300)), 'supports_payment': false }
            order by title_place
        )[:2] as titles,
        list(
            { 'url_hash': url_hash, 'quote': payment_quote, 'supports_payment': true }
            order by payment_place
        ) filter (where payment_quote is not null)[:5] as payments,
    from ranked
    group by all

),

instructions as (

    select
        {{ label_instructions(
            'posts that people wrote in public over some days and that an algorithm took for complaints of the same'
        ) }}
            as system_prompt,
    from categories

),

problem_requests as (

    select
        posts.problem_id,
        row_number() over (order by posts.voices desc, posts.problem_id asc)::int as cluster_id,
        'v3' as prompt_version,
        instructions.system_prompt,
        'Cluster ' || cluster_id || ': ' || posts.voices || ' people. Posts of theirs:' || chr(10)
        || '<posts>' || chr(10) || prompts.shown_posts || chr(10) || '</posts>' as prompt,
        prompts.samples,
        posts.url_hashes,
        {{ cut('extracts.title', 120) }} as canonical_title,
        elected.category,
        extracts.description,
        elected.impact_level,
        list_concat(extracts.titles, if(extracts.would_pay_signal, extracts.payments, [])) as quotes,
        posts.voices,
        extracts.would_pay_signal,
        posts.last_seen,
    from posts
    cross join instructions
    left join prompts on posts.problem_id = prompts.problem_id
    left join extracts on posts.problem_id = extracts.problem_id
    left join elected on posts.problem_id = elected.problem_id

)

select
    problem_id,
    cluster_id,
    prompt_version,
    system_prompt,
    prompt,
    samples,
    url_hashes,
    canonical_title,
    category,
    description,
    impact_level,
    quotes,
    voices,
    would_pay_signal,
    last_seen,
from problem_requests
