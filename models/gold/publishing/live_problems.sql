{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='problem_id',
    post_hook={'sql': "{{ push_live('problems') }}", 'transaction': false},
) }}

{{ live_roots(ref('problem_records'), 'problem_id') }}
