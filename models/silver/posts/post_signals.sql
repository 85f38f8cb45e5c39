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

found_signals as (

    select
        url_hash,
        {{ signals_in(ref('complaint_signals')) }} as signals,
    from texts

),

posts as (

    select
        texts.url_hash,
        texts.source,
        embeddings.embedding,
        found_signals.signals,
        texts.collection_date,
    from texts
    inner join found_signals on texts.url_hash = found_signals.url_hash
    inner join embeddings on texts.content_hash = embeddings.content_hash

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

-- Vectors are long: each is multiplied first, and the joins below carry the products.
direction_products as (

    select
        posts.url_hash,
        posts.source,
        posts.signals,
        complaint_directions.weight,
        complaint_directions.sources as source_weights,
        complaint_directions.signals as weights_of_signals,
        array_inner_product(posts.embedding, complaint_directions.weights) as product,
    from posts
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
                    product
                    + coalesce(source_weights[source], list_avg(map_values(source_weights)))
                    + list_sum([0] || list_transform(signals, lambda signal: weights_of_signals[signal])),
                    2
                )
            )::decimal(18, 8)
        ) as weight,
    from direction_products
    group by all

),

answer_products as (

    select
        posts.url_hash,
        posts.source,
        answer_weights.field,
        answer_weights.answer,
        answer_weights.bias,
        answer_weights.weights is not null as has_embedding,
        coalesce(array_inner_product(posts.embedding, answer_weights.weights::float[384]), 0) as product,
    from posts
    cross join answer_weights

),

-- Logistic regressions, with one row for each answer.
fitted as (

    select
        answer_products.url_hash,
        answer_products.field,
        answer_products.answer,
        exp(
            answer_products.bias
            + coalesce(source_weights.weight, mean_source_weights.weight)
            + answer_products.product
            + case
                when answer_products.field != 'complains' then 0
                when not answer_products.has_embedding then signal_weights.weight_alone
                else signal_weights.weight + coalesce(squares.weight, 0)
            end
        ) as score,
    from answer_products
    inner join mean_source_weights
        on
            answer_products.field = mean_source_weights.field
            and answer_products.answer = mean_source_weights.answer
            and answer_products.has_embedding = mean_source_weights.has_embedding
    left join source_weights
        on
            answer_products.field = source_weights.field
            and answer_products.answer = source_weights.answer
            and answer_products.has_embedding = source_weights.has_embedding
            and answer_products.source = source_weights.source
    inner join signal_weights on answer_products.url_hash = signal_weights.url_hash
    left join squares on answer_products.url_hash = squares.url_hash

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
        -- The pattern matches a phrase; the expression extends the match to the whole sentence. A sentence that begins
        -- behind "(see the ads!)" begins behind the bracket.
        nullif(
            ltrim(
                trim(
                    regexp_extract(
                        texts.text,
                        '[^.!?\n]*(?:'
                        || {{ any_pattern(ref('label_signals'), "signal = 'would_pay'") }}
                        || ')[^.!?\n]*[.!?]?',
                        0,
                        'i'
                    )
                ),
                ' )]},;:'
            ),
            ''
        ) as payment_quote,
        signal_weights.signals as complaint_signals,
        complaints.probabilities['yes'] as complaint_score,
        regexp_matches(texts.text, {{ any_pattern(ref('model_instructions')) }}, 'i') as addresses_model,
        categories.probabilities as category_probabilities,
        impacts.probabilities as impact_probabilities,
        posts.collection_date,
    from posts
    inner join texts on posts.url_hash = texts.url_hash
    inner join signal_weights on posts.url_hash = signal_weights.url_hash
    inner join answers as categories on posts.url_hash = categories.url_hash and categories.field = 'category'
    inner join answers as impacts on posts.url_hash = impacts.url_hash and impacts.field = 'impact'
    inner join answers as complaints on posts.url_hash = complaints.url_hash and complaints.field = 'complains'

)

select * from post_signals
