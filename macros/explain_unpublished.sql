{#- Says after a build why something was not pushed to PocketBase: what failed before it. -#}
{% macro explain_unpublished() %}
    {%- set failed = [] -%}
    {%- set skipped = [] -%}
    {%- for result in results -%}
        {%- if result.status in ('error', 'fail') -%}
            {%- do failed.append(result.node.name) -%}
        {%- elif result.status == 'skipped' and result.node.name in ('live_issues', 'live_problems') -%}
            {%- do skipped.append(result.node.name | replace('live_', '')) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if skipped -%}
        {%- do log(
            'Not published: the ' ~ skipped | sort | join(' and the ') ~ ' of ' ~ run_day() ~ ', since these failed: '
            ~ failed | join(', '), info=true
        ) -%}
    {%- endif -%}
{% endmacro %}
