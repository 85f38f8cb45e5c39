{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook='{{ forget_changed_problems() }}',
    )
}}

with

problem_members as (

    select * from {{ ref('problem_members') }}
    {% if is_incremental() -%}
        where problem_id not in (select problem_id from {{ this }})
    {%- endif %}

),

documents as (

    select * from {{ ref('documents') }}

),

raw_items as (

    select * from {{ source('bronze', 'raw_items') }}

),

embeddings as (

    select * from {{ ref('embeddings') }}
    where model = '{{ var("embedding_model") }}'

),

post_signals as (

    select * from {{ ref('post_signals') }}

),

posts as (

    select
        problem_members.problem_id,
        problem_members.url_hash,
        problem_members.voice,
        raw_items.source,
        raw_items.url,
        documents.redacted_title as title,
        documents.excerpt,
        post_signals.payment_quote,
        raw_items.comment_count,
        raw_items.vote_count,
        documents.complaint_score::double as complaint_score,
        embeddings.embedding,
        documents.addresses_model,
        row_number() over (
            partition by problem_members.problem_id, problem_members.voice
            order by raw_items.created_at, problem_members.url_hash
        ) = 1 as is_first_of_voice,
        problem_members.collection_date,
        raw_items.created_at as posted_at,
    from problem_members
    inner join documents on problem_members.url_hash = documents.url_hash
    inner join raw_items on problem_members.url_hash = raw_items.url_hash
    inner join post_signals on problem_members.url_hash = post_signals.url_hash
    left join embeddings on documents.content_hash = embeddings.content_hash

),

-- A voice counts once, however often it posts.
heard as (

    select * from posts
    where is_first_of_voice

),

{{ centroids('heard', ['problem_id']) }},

problem_candidates as (

    select
        {{ record_id(['posts.problem_id', 'posts.url_hash']) }} as problem_post_id,
        posts.problem_id,
        posts.url_hash,
        posts.voice,
        posts.source,
        posts.url,
        posts.title,
        posts.excerpt,
        posts.payment_quote,
        posts.comment_count,
        posts.vote_count,
        posts.complaint_score,
        array_cosine_similarity(posts.embedding, centroids.centroid) as similarity,
        posts.is_first_of_voice,
        posts.addresses_model,
        posts.collection_date,
        posts.posted_at,
    from posts
    left join centroids on posts.problem_id = centroids.problem_id

)

select
    problem_post_id,
    problem_id,
    url_hash,
    voice,
    source,
    url,
    title,
    excerpt,
    payment_quote,
    comment_count,
    vote_count,
    complaint_score,
    similarity,
    is_first_of_voice,
    addresses_model,
    collection_date,
    posted_at,
from problem_candidates
