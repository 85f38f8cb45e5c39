{#- Of the CTE label_attempts the label of each `key` that stands: the latest one that came to one of `statuses`. -#}
{% macro standing_labels(key, statuses) -%}
    select * from label_attempts
    where status in ('{{ statuses | join("', '") }}')
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by attempted_at desc, attempt_id asc
    ) = 1
{%- endmacro %}
