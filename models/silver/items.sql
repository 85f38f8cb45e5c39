{{ config(materialized='view') }}

-- DuckDB calls a database by its file's name: a view that held it would break in a renamed copy.
with

documents as (

    select * from {{ ref('documents').include(database=false) }}

),

embeddings as (

    select * from {{ ref('embeddings').include(database=false) }}

),

cluster_assignments as (

    select * from {{ ref('cluster_assignments').include(database=false) }}

),

items as (

    select
        documents.url_hash,
        documents.source,
        cluster_assignments.cluster_id,
        cluster_assignments.similarity,
        embeddings.embedding,
        embeddings.embedding_date,
        cluster_assignments.cluster_date,
    from documents
    left join embeddings on documents.content_hash = embeddings.content_hash
    left join cluster_assignments on documents.url_hash = cluster_assignments.url_hash

)

select * from items
