{{ config(materialized='table') }}

-- The least cosine of a complaint and the centroid of a problem that may be about the same.
{% set near = 0.5 %}

with

problem_posts as (

    select * from {{ ref('problem_posts') }}

),

problem_wordings as (

    select * from {{ ref('problem_wordings') }}

),

problem_assignments as (

    select * from {{ ref('problem_assignments') }}

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

wordings as (

    select * from {{ ref('wordings') }}

),

program_posts as (

    select * from {{ ref('program_posts') }}

),

copy_limits as (

    select * from {{ ref('copy_limits') }}

),

{{ window_halves() }},

-- What each problem has without neighbours.
own_hours as (

    select
        problem_wordings.problem_id,
        max(problem_wordings.wordings_in_hour) as wordings_in_hour,
    from problem_wordings
    cross join built
    where problem_wordings.collection_date > built.middle_date
    group by all

),

-- Only a problem that is urgent by itself has neighbours.
urgent_posts as (

    select
        problem_posts.problem_id,
        embeddings.embedding,
    from problem_posts
    inner join own_hours on problem_posts.problem_id = own_hours.problem_id
    inner join documents on problem_posts.url_hash = documents.url_hash
    inner join embeddings on documents.content_hash = embeddings.content_hash
    cross join copy_limits
    where
        own_hours.wordings_in_hour >= copy_limits.posts_an_hour
        and problem_posts.is_first_of_voice
        and problem_posts.addresses_model is not true

),

{{ centroids('urgent_posts', ['problem_id']) }},

standing as (

    select * from problem_assignments
    qualify row_number() over (
        partition by url_hash
        order by as_of_date desc
    ) = 1

),

-- The complaints of people that have at least ten words and say something of their own.
complaints as (

    select
        documents.url_hash,
        standing.voice,
        problem_wordings.problem_id as own_problem_id,
        embeddings.embedding,
        wordings.sequences,
        posts.posted_at,
    from documents
    inner join posts on documents.url_hash = posts.url_hash
    inner join standing on documents.url_hash = standing.url_hash
    inner join embeddings on documents.content_hash = embeddings.content_hash
    inner join wordings on documents.url_hash = wordings.url_hash
    left join problem_wordings on documents.url_hash = problem_wordings.url_hash
    anti join program_posts on documents.url_hash = program_posts.url_hash
    cross join built
    where
        documents.collection_date > built.middle_date
        and documents.complaint_score >= {{ var('complaint_threshold') }}
        and documents.duplicate_of is null
        and documents.addresses_model is not true
        and len(wordings.sequences) > 1
        and problem_wordings.is_wording is not false

),

-- A complaint is near one problem at most: the one with the most wordings within an hour, and more than its own has.
near as (

    select
        centroids.problem_id,
        complaints.url_hash,
        complaints.voice,
        complaints.sequences,
        complaints.posted_at,
    from complaints
    inner join centroids on array_cosine_similarity(complaints.embedding, centroids.centroid) >= {{ near }}
    inner join own_hours on centroids.problem_id = own_hours.problem_id
    left join own_hours as own_problem on complaints.own_problem_id = own_problem.problem_id
    where own_hours.wordings_in_hour > coalesce(own_problem.wordings_in_hour, 0)
    qualify row_number() over (
        partition by complaints.url_hash
        order by own_hours.wordings_in_hour desc, centroids.problem_id asc
    ) = 1

),

neighbours as (

    select near.*
    from near
    anti join problem_posts
        on near.problem_id = problem_posts.problem_id and near.voice = problem_posts.voice
    qualify row_number() over (
        partition by near.problem_id, near.voice
        order by near.posted_at, near.url_hash
    ) = 1

),

said as (

    select
        problem_id,
        url_hash,
        unnest(sequences) as three_words,
        true as is_neighbour,
    from neighbours
    union all
    select
        problem_posts.problem_id,
        problem_posts.url_hash,
        unnest(wordings.sequences) as three_words,
        false as is_neighbour,
    from problem_posts
    inner join wordings on problem_posts.url_hash = wordings.url_hash
    where problem_posts.problem_id in (select neighbours.problem_id from neighbours)

),

compared as (

    select
        *,
        count(*) over (partition by problem_id, three_words) > 1 as is_shared,
    from said

),

-- Here a shared error message counts as borrowed words, too: what stands outside of the problem must be plain.
borrowed as (

    select
        compared.problem_id,
        compared.url_hash,
    from compared
    cross join copy_limits
    where compared.is_neighbour
    group by all
    having avg(compared.is_shared::int) >= any_value(copy_limits.borrowed)

),

worded as (

    select
        neighbours.problem_id,
        true as is_neighbour,
        neighbours.posted_at,
    from neighbours
    anti join borrowed
        on neighbours.problem_id = borrowed.problem_id and neighbours.url_hash = borrowed.url_hash
    union all
    select
        problem_wordings.problem_id,
        false as is_neighbour,
        problem_wordings.posted_at,
    from problem_wordings
    inner join centroids on problem_wordings.problem_id = centroids.problem_id
    cross join built
    where problem_wordings.is_full_wording and problem_wordings.collection_date > built.middle_date

),

hours as (

    select
        problem_id,
        count(*) over following_hour as wordings_in_hour,
        count(*) filter (where is_neighbour) over following_hour as neighbours,
    from worded
    window following_hour as (
        partition by problem_id
        order by posted_at
        range between current row and interval '59 minutes 59 seconds' following
    )

),

problem_hours as (

    select
        problem_id,
        max(wordings_in_hour) as wordings_in_hour,
        arg_max(neighbours, (wordings_in_hour, neighbours)) as neighbours,
    from hours
    group by all

)

select * from problem_hours
