{{ config(materialized='table') }}

with

problem_voices as (

    select * from {{ ref('problem_voices') }}

),

problem_titles as (

    select * from {{ ref('problem_titles') }}

),

post_signals as (

    select * from {{ ref('post_signals') }}

),

voices as (

    select
        problem_voices.*,
        post_signals.category_probabilities,
        post_signals.impact_probabilities,
    from problem_voices
    inner join post_signals on problem_voices.url_hash = post_signals.url_hash
    qualify count(*) over (partition by problem_voices.problem_id) >= {{ var('problem_voices') }}

),

{{ elected('voices', ['problem_id']) }},

-- "I have the Pro plan" speaks of paying and is no offer.
offers as (

    select
        *,
        coalesce(
            regexp_matches(
                payment_quote,
                {{
                    any_pattern(
                        ref('label_signals'),
                        "meaning in ('offers to pay', 'is about to buy', 'has a budget')"
                    )
                }},
                'i'
            ),
            false
        ) as is_offer,
    from voices

),

ranked as (

    select
        *,
        row_number() over (
            partition by problem_id
            order by payment_quote is null, not is_offer, similarity desc, url_hash asc
        ) as payment_place,
    from offers

),

-- The most central posts that speak of paying give the quotes about paying, and those that offer to pay come first.
extracts as (

    select
        problem_id,
        {{ enough_pay('count(payment_quote)', 'count(*)') }} as would_pay_signal,
        list(
            { 'url_hash': url_hash, 'quote': payment_quote, 'supports_payment': true }
            order by payment_place
        ) filter (where payment_quote is not null)[:5] as payments,
        bool_or(is_offer) as has_offer,
    from ranked
    group by all

),

quotable as (

    select
        extracts.problem_id,
        problem_titles.titles,
        problem_titles.sentences,
        if(extracts.would_pay_signal, extracts.payments, []) as payments,
        -- The number of payments that stand directly after the title.
        extracts.has_offer::int as in_front,
    from extracts
    inner join problem_titles on extracts.problem_id = problem_titles.problem_id

),

-- The first sentence is the description. Of the others, two are quotes, of posts that are not quoted otherwise.
quoted as (

    select
        problem_id,
        {{ title_quotes('titles[:1]') }}
        || payments[:in_front]
        || {{ title_quotes('titles[2:]') }}
        || list_transform(
            list_filter(
                sentences[2:],
                lambda each: not list_contains(
                    list_transform(titles, lambda title: title['url_hash'])
                    || list_transform(payments, lambda payment: payment['url_hash']),
                    each['url_hash']
                )
            )[:2],
            lambda each: { 'url_hash': each['url_hash'], 'quote': each['sentence'], 'supports_payment': false }
        )
        || payments[in_front + 1:] as quotes,
    from quotable

),

extractive_problem_labels as (

    select
        extracts.problem_id,
        {{ cut("problem_titles.titles[1]['title']", 120) }} as canonical_title,
        elected.category,
        coalesce(problem_titles.sentences[1]['sentence'], problem_titles.titles[1]['title']) as description,
        elected.impact_level,
        quoted.quotes,
        extracts.would_pay_signal,
    from extracts
    inner join problem_titles on extracts.problem_id = problem_titles.problem_id
    inner join quoted on extracts.problem_id = quoted.problem_id
    inner join elected on extracts.problem_id = elected.problem_id

)

select * from extractive_problem_labels
