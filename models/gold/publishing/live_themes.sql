{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='theme_id',
    post_hook={'sql': "{{ push_live('themes') }}", 'transaction': false},
) }}

{{ live_roots(ref('theme_records'), 'theme_id') }}
