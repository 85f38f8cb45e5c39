{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

texts as (

    select * from {{ ref('texts') }}
    where collection_date = {{ run_date() }}

),

embeddings as (

    select * from {{ ref('embeddings') }}
    where model = '{{ var("embedding_model") }}'

),

categories as (

    select * from {{ ref('categories') }}

),

complaint_signals as (

    select * from {{ ref('complaint_signals') }}

),

-- Weights that were fitted on the vectors of all-MiniLM-L6-v2 do not fit the vectors of another model. For another
-- model, only answers whose weights use no vector are left.
answer_weights as (

    select * from {{ ref('answer_weights') }}
    where weights is null or '{{ var("embedding_model") }}' = 'all-MiniLM-L6-v2'
    qualify row_number() over (partition by field, answer order by weights nulls last) = 1

),

source_weights as (

    select * from {{ ref('source_weights') }}

),

-- A source without fitted weights gets the mean weight of the other sources.
mean_source_weights as (

    select
        field,
        answer,
        has_embedding,
        avg(weight) as weight,
    from source_weights
    group by all

),

-- The weights of the directions of complaints were fitted on the vectors of all-MiniLM-L6-v2, too.
complaint_directions as (

    select
        weight,
        weights::float[384] as weights,
        sources::map (varchar, double) as sources,
        signals::map (varchar, double) as signals,
    from {{ ref('complaint_directions') }}
    where '{{ var("embedding_model") }}' = 'all-MiniLM-L6-v2'

),

posts as (

    select
        texts.url_hash,
        texts.source,
        texts.text,
        embeddings.embedding,
        texts.collection_date,
    from texts
    inner join embeddings on texts.content_hash = embeddings.content_hash

),

found_signals as (

    select
        url_hash,
        {{ signals_in(ref('complaint_signals')) }} as signals,
    from texts

),

signal_weights as (

    select
        found_signals.url_hash,
        found_signals.signals,
        coalesce(sum(complaint_signals.weight), 0) as weight,
        coalesce(sum(complaint_signals.weight_alone), 0) as weight_alone,
    from found_signals
    left join complaint_signals on list_contains(found_signals.signals, complaint_signals.signal)
    group by all

),

posts_by_direction as (

    select
        posts.url_hash,
        posts.source,
        posts.embedding,
        signal_weights.signals,
        complaint_directions.weight,
        complaint_directions.weights,
        complaint_directions.sources as source_weights,
        complaint_directions.signals as weights_of_signals,
    from posts
    inner join signal_weights on posts.url_hash = signal_weights.url_hash
    cross join complaint_directions

),

-- How far a post reaches in each direction, squared: what it says, who says it where, and how, count together.
squares as (

    select
        url_hash,
        -- A sum of decimals does not depend on the order in which threads add them.
        sum(
            (
                weight
                * pow(
                    array_inner_product(embedding, weights)
                    + coalesce(source_weights[source], list_avg(map_values(source_weights)))
                    + list_sum([0] || list_transform(signals, lambda signal: weights_of_signals[signal])),
                    2
                )
            )::decimal(18, 8)
        ) as weight,
    from posts_by_direction
    group by all

),

-- Logistic regressions, with one row for each answer.
fitted as (

    select
        posts.url_hash,
        answer_weights.field,
        answer_weights.answer,
        exp(
            answer_weights.bias
            + coalesce(source_weights.weight, mean_source_weights.weight)
            + coalesce(array_inner_product(posts.embedding, answer_weights.weights::float[384]), 0)
            + case
                when answer_weights.field != 'complains' then 0
                when answer_weights.weights is null then signal_weights.weight_alone
                else signal_weights.weight + coalesce(squares.weight, 0)
            end
        ) as score,
    from posts
    cross join answer_weights
    inner join mean_source_weights
        on
            answer_weights.field = mean_source_weights.field
            and answer_weights.answer = mean_source_weights.answer
            and mean_source_weights.has_embedding = (answer_weights.weights is not null)
    left join source_weights
        on
            answer_weights.field = source_weights.field
            and answer_weights.answer = source_weights.answer
            and source_weights.has_embedding = (answer_weights.weights is not null)
            and posts.source = source_weights.source
    inner join signal_weights on posts.url_hash = signal_weights.url_hash
    left join squares on posts.url_hash = squares.url_hash

),

-- For embedding models without weights, the similarity to the phrases of a category decides. The impact is then not
-- known: all levels are as likely.
nearest_phrases as (

    select
        posts.url_hash,
        'category' as field,
        categories.category as answer,
        exp(20 * max(array_inner_product(posts.embedding, embeddings.embedding))) as score,
    from posts
    cross join categories
    inner join embeddings on sha256(categories.description) = embeddings.content_hash
    where 'category' not in (select answer_weights.field from answer_weights)
    group by all

),

scores as (

    select * from fitted
    union all by name
    select * from nearest_phrases
    union all by name
    select
        url_hash,
        'impact' as field,
        unnest(['low', 'medium', 'high']) as answer,
        1 as score,
    from posts
    where 'impact' not in (select answer_weights.field from answer_weights)
    union all by name
    -- The regression for complaints has weights for yes only, so the score of no is 1.
    select
        url_hash,
        'complains' as field,
        'no' as answer,
        1 as score,
    from posts

),

probabilities as (

    select
        url_hash,
        field,
        answer,
        -- A sum of decimals does not depend on the order in which threads add them; a sum of floats does.
        (score / sum(score) over (partition by url_hash, field))::decimal(10, 8) as probability,
    from scores

),

answers as (

    select
        url_hash,
        field,
        arg_max(answer, (probability, answer)) as answer,
        max(probability) as probability,
        map(list(answer order by answer), list(probability order by answer)) as probabilities,
    from probabilities
    group by all

),

post_signals as (

    select
        posts.url_hash,
        categories.answer as category,
        {{ known_impact('impacts.answer', 'impacts.probability') }} as impact_level,
        -- The pattern matches a phrase; the expression extends the match to the whole sentence.
        nullif(
            trim(
                regexp_extract(
                    posts.text,
                    '[^.!?\n]*(?:'
                    || {{ any_pattern(ref('label_signals'), "signal = 'would_pay'") }}
                    || ')[^.!?\n]*[.!?]?',
                    0,
                    'i'
                )
            ),
            ''
        ) as payment_quote,
        signal_weights.signals as complaint_signals,
        complaints.probabilities['yes'] as complaint_score,
        regexp_matches(posts.text, {{ any_pattern(ref('model_instructions')) }}, 'i') as addresses_model,
        categories.probabilities as category_probabilities,
        impacts.probabilities as impact_probabilities,
        posts.collection_date,
    from posts
    inner join signal_weights on posts.url_hash = signal_weights.url_hash
    inner join answers as categories on posts.url_hash = categories.url_hash and categories.field = 'category'
    inner join answers as impacts on posts.url_hash = impacts.url_hash and impacts.field = 'impact'
    inner join answers as complaints on posts.url_hash = complaints.url_hash and complaints.field = 'complains'

)

select * from post_signals
