{#-
    A SQL condition on the dates of the issues that a run publishes: the day of the run, and the days that backfill has
    built without the data tests of all rows. Those tests run in this run, so the rows of these days pass them, too. With
    var publish false it is no day.
-#}
{% macro published_days(column) -%}
    {%- set built_days = source('bronze', 'built_days') -%}
    {%- if var('publish') -%}
    (
        {{ column }} = {{ run_date() }}
        or {{ column }} in (
            select built_days.collection_date from {{ built_days }} as built_days
            where not built_days.is_tested
        )
    )
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}
