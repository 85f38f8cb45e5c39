{{ config(materialized='table') }}

with

theme_members as (

    select * from {{ ref('theme_members') }}

),

documents as (

    select * from {{ ref('documents') }}

),

posts as (

    select * from {{ ref('posts') }}

),

embeddings as (

    select * from {{ ref('embeddings') }}
    where model = '{{ var("embedding_model") }}'

),

post_signals as (

    select * from {{ ref('post_signals') }}

),

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

-- A post that addresses a language model is not a voice, and is not shown.
members as (

    select
        theme_members.theme_id,
        theme_members.url_hash,
        theme_members.voice,
        problem_posts.problem_id,
        posts.source,
        posts.url,
        documents.redacted_title as title,
        documents.excerpt,
        post_signals.payment_quote,
        posts.comment_count,
        posts.vote_count,
        documents.complaint_score::double as complaint_score,
        embeddings.embedding,
        row_number() over (
            partition by theme_members.theme_id, theme_members.voice
            order by posts.posted_at, theme_members.url_hash
        ) = 1 as is_first_of_voice,
        theme_members.collection_date,
        posts.posted_at,
    from theme_members
    inner join documents on theme_members.url_hash = documents.url_hash
    inner join posts on theme_members.url_hash = posts.url_hash
    inner join post_signals on theme_members.url_hash = post_signals.url_hash
    left join embeddings on documents.content_hash = embeddings.content_hash
    left join problem_posts on theme_members.url_hash = problem_posts.url_hash
    where documents.addresses_model is not true
    -- A group is a theme as long as enough voices are left.
    qualify count(distinct theme_members.voice) over (partition by theme_members.theme_id) >= {{ var('theme_voices') }}

),

-- A voice counts once for the centroid, even if it has many posts.
heard as (

    select * from members
    where is_first_of_voice

),

{{ centroids('heard', ['theme_id']) }},

theme_posts as (

    select
        {{ record_id(['members.theme_id', 'members.url_hash']) }} as theme_post_id,
        members.theme_id,
        members.url_hash,
        members.problem_id,
        members.voice,
        members.source,
        members.url,
        members.title,
        members.excerpt,
        members.payment_quote,
        members.comment_count,
        members.vote_count,
        members.complaint_score,
        array_cosine_similarity(members.embedding, centroids.centroid)::double as similarity,
        members.is_first_of_voice,
        members.collection_date,
        members.posted_at,
    from members
    left join centroids on members.theme_id = centroids.theme_id

)

select * from theme_posts
