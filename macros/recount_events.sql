{#-
    Post-hook of gold.daily_report: counts the events of later days anew. A build groups the later days anew, so what
    happened to problems on these days may be another now.
-#}
{% macro recount_events() %}
    {%- set problem_events = ref('problem_events') -%}
    {%- set events = ['opened', 'continued', 'reopened', 'merged into', 'split from', 'dormant', 'closed'] -%}
    {%- if execute and not flags.EMPTY -%}
    update {{ this }} as later
    set
        {%- for event in events %}
        problems_{{ event.split(' ')[0] }} = counted.problems_{{ event.split(' ')[0] }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            days.report_date,
            {%- for event in events %}
            count(*) filter (where events.event = '{{ event }}') as problems_{{ event.split(' ')[0] }},
            {%- endfor %}
        from {{ this }} as days
        left join {{ problem_events }} as events on days.report_date = events.event_date
        where days.report_date > {{ run_date() }}
        group by all
    ) as counted
    where later.report_date = counted.report_date
    {%- else -%}
    select 'dbt --empty: the rows stay as they are'
    {%- endif -%}
{% endmacro %}
