{#-
    Says after a build what was not pushed to PocketBase: what was skipped, with the nodes that failed before, and each
    problem and issue that is held back for a fault of its own. The meta `publishes` of a model names what the model
    pushes.
-#}
{% macro explain_unpublished() %}
    {%- set held_back = {
        'no_problem_is_held_back': ['problem', ref('problem_faults'), 'true', 'problem_id'],
        'no_issue_is_held_back': ['issue', ref('issue_faults'), 'cluster_date = ' ~ run_date(), 'issue_id'],
    } -%}
    {%- set failed = [] -%}
    {%- set skipped = [] -%}
    {%- for result in results -%}
        {%- if result.status == 'fail' and result.node.name in held_back -%}
            {%- set kind, faults, condition, key = held_back[result.node.name] -%}
            {%- for title, record_id, fault in run_query(
                'select title, ' ~ key ~ ', fault from ' ~ faults ~ ' where ' ~ condition ~ ' order by all limit 20'
            ).rows -%}
                {%- do log('Held back: the ' ~ kind ~ ' ' ~ record_id ~ ' "' ~ title ~ '": ' ~ fault, info=true) -%}
            {%- endfor -%}
        {%- elif result.status in ('error', 'fail') -%}
            {%- do failed.append(result.node.name) -%}
        {%- elif result.status == 'skipped' and result.node.config.get('meta', {}).get('publishes') -%}
            {%- do skipped.append(result.node.config.meta.publishes) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if skipped -%}
        {%- do log(
            'Not published: the ' ~ skipped | sort | join(' and the ') ~ ' of ' ~ run_day() ~ ', since these failed: '
            ~ failed | join(', '), info=true
        ) -%}
    {%- endif -%}
{% endmacro %}
