{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='theme_id',
        post_hook={'sql': "{{ push_live('themes') }}", 'transaction': false},
    )
}}

with

records as (

    select * from {{ ref('theme_records') }}

),

{{ live_roots('theme_id') }}

select * from live_roots
