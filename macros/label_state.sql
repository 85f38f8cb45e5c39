{#-
    The columns status and error of a request for a label. CTE `labels` has the label that holds, CTE `totals` has the
    latest error of all attempts.
-#}
{% macro label_state(request) -%}
    case
        when labels.attempt_id is not null then labels.status
        when {{ request }}.prompt is null or totals.error is not null then 'failed'
        else 'waiting'
    end as status,
    case
        when status = 'labelled' then null
        when {{ request }}.prompt is null then 'all its posts address a language model, so no prompt may show them'
        else totals.error
    end as error
{%- endmacro %}
