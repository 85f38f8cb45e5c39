{{
    config(
        materialized='incremental',
        incremental_strategy='replace_problems',
        unique_key='problem_id',
    )
}}

with

all_members as (

    select * from {{ ref('problem_members') }}

),

-- By name: a table of an earlier version may lack a column.
known as (

    select
        null::varchar as problem_id,
        null::varchar as url_hash,
        null::varchar as voice,
        null::double as chance,
        null::date as collection_date,
    where false
    {% if is_incremental() -%}
        union all by name
        select * from {{ this }}
    {%- endif %}

),

-- Problems whose posts, voices or chances have changed are written again. So are problems with posts of the day of the
-- build, because votes and comments of these posts may have changed.
changed_rows as (

    (
        select
            problem_id,
            url_hash,
            voice,
            chance
        from all_members
        except
        select
            problem_id,
            url_hash,
            voice,
            chance
        from known
    )
    union all
    (
        select
            problem_id,
            url_hash,
            voice,
            chance
        from known
        except
        select
            problem_id,
            url_hash,
            voice,
            chance
        from all_members
    )
    union all
    select
        problem_id,
        url_hash,
        voice,
        chance
    from known
    where collection_date = {{ run_date() }}

),

problem_members as (

    select * from all_members
    where problem_id in (select changed_rows.problem_id from changed_rows)

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

members as (

    select
        problem_members.problem_id,
        problem_members.url_hash,
        problem_members.voice,
        problem_members.chance,
        posts.source,
        posts.url,
        documents.redacted_title as title,
        documents.excerpt,
        post_signals.payment_quote,
        posts.comment_count,
        posts.vote_count,
        documents.complaint_score::double as complaint_score,
        embeddings.embedding,
        documents.addresses_model,
        row_number() over (
            partition by problem_members.problem_id, problem_members.voice
            order by posts.posted_at, problem_members.url_hash
        ) = 1 as is_first_of_voice,
        problem_members.collection_date,
        posts.posted_at,
    from problem_members
    inner join documents on problem_members.url_hash = documents.url_hash
    inner join posts on problem_members.url_hash = posts.url_hash
    inner join post_signals on problem_members.url_hash = post_signals.url_hash
    left join embeddings on documents.content_hash = embeddings.content_hash

),

-- A voice counts once for the centroid, even if it has many posts.
heard as (

    select * from members
    where is_first_of_voice

),

{{ centroids('heard', ['problem_id']) }},

problem_candidates as (

    select
        {{ record_id(['members.problem_id', 'members.url_hash']) }} as problem_post_id,
        members.problem_id,
        members.url_hash,
        members.voice,
        members.chance,
        members.source,
        members.url,
        members.title,
        members.excerpt,
        members.payment_quote,
        members.comment_count,
        members.vote_count,
        members.complaint_score,
        array_cosine_similarity(members.embedding, centroids.centroid) as similarity,
        members.is_first_of_voice,
        members.addresses_model,
        members.collection_date,
        members.posted_at,
    from members
    left join centroids on members.problem_id = centroids.problem_id

)

select * from problem_candidates
