{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='problem_id',
        post_hook={'sql': "{{ push_live('problems') }}", 'transaction': false},
    )
}}

-- The push sends small collections, too.
-- depends_on: {{ ref('search_records') }} {{ ref('name_records') }} {{ ref('figure_records') }}

with

records as (

    select * from {{ ref('problem_records') }}

),

{{ live_roots('problem_id') }}

select * from live_roots
