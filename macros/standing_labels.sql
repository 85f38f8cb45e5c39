{#- The label that holds for each `key`: the latest row of CTE attempts with one of the `statuses`. -#}
{% macro standing_labels(key, statuses) -%}
    select * from attempts
    where status in ('{{ statuses | join("', '") }}')
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by attempted_at desc, attempt_id asc
    ) = 1
{%- endmacro %}
