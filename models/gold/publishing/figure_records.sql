{{ config(materialized='view') }}

with

week_figures as (

    select * from {{ nearby(ref('week_figures')) }}

),

fields as (

    select
        {{ record_id(['figure']) }} as id,
        figure,
        position,
        this_week,
        last_week,
        days_this_week,
        days_last_week,
        as_of_date,
    from week_figures

),

figure_records as (

    select
        id as record_id,
        sha256(to_json(fields)::varchar) as content_hash,
        to_json(fields) as record,
    from fields

)

select * from figure_records
