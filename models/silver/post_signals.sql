{{ config(materialized='incremental', incremental_strategy='replace_day', unique_key='collection_date') }}

with

documents as (

    select * from {{ ref('documents') }}
    where collection_date = {{ run_date() }}

),

embeddings as (

    select * from {{ ref('embeddings') }}
    where model = '{{ var("embedding_model") }}'

),

categories as (

    select * from {{ ref('categories') }}

),

-- What was fitted on one model's vectors says nothing about another's.
post_weights as (

    select * from {{ ref('post_weights') }}
    where '{{ var("embedding_model") }}' = 'all-MiniLM-L6-v2'

),

posts as (

    select
        documents.url_hash,
        documents.source,
        documents.text,
        embeddings.embedding,
        documents.collection_date,
    from documents
    inner join embeddings on documents.content_hash = embeddings.content_hash

),

-- Logistic regression, a row an answer.
fitted as (

    select
        posts.url_hash,
        post_weights.field,
        post_weights.answer,
        exp(
            post_weights.bias
            + case posts.source
                when 'github' then post_weights.github
                when 'hackernews' then post_weights.hackernews
                when 'reddit' then post_weights.reddit
                when 'stackoverflow' then post_weights.stackoverflow
            end
            + array_inner_product(posts.embedding, post_weights.weights::float[384])
        ) as score,
    from posts
    cross join post_weights

),

-- For a model without weights: nearness to the phrases of a category, and no opinion on impact.
nearest_phrases as (

    select
        posts.url_hash,
        'category' as field,
        categories.category as answer,
        exp(20 * max(array_inner_product(posts.embedding, embeddings.embedding))) as score,
    from posts
    cross join categories
    inner join embeddings on sha256(categories.description) = embeddings.content_hash
    where not exists (select post_weights.answer from post_weights)
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
        'medium' as answer,
        1 as score,
    from posts
    where not exists (select post_weights.answer from post_weights)

),

probabilities as (

    select
        url_hash,
        field,
        answer,
        -- As a decimal, since the sum of floats depends on the order in which threads meet them.
        (score / sum(score) over (partition by url_hash, field))::decimal(10, 8) as probability,
    from scores

),

answers as (

    select
        url_hash,
        field,
        arg_max(answer, (probability, answer)) as answer,
        map(list(answer order by answer), list(probability order by answer)) as probabilities,
    from probabilities
    group by all

),

post_signals as (

    select
        posts.url_hash,
        categories.answer as category,
        impacts.answer as impact_level,
        -- The whole sentence.
        nullif(
            trim(
                regexp_extract(
                    posts.text,
                    '[^.!?\n]*(?:' || {{ any_pattern(ref('label_signals')) }} || ')[^.!?\n]*[.!?]?',
                    0,
                    'i'
                )
            ),
            ''
        ) as payment_quote,
        categories.probabilities as category_probabilities,
        impacts.probabilities as impact_probabilities,
        posts.collection_date,
    from posts
    inner join answers as categories on posts.url_hash = categories.url_hash and categories.field = 'category'
    inner join answers as impacts on posts.url_hash = impacts.url_hash and impacts.field = 'impact'

)

select * from post_signals
