{#-
    Says after a build what was not pushed to PocketBase, and which nodes failed before. The meta `publishes` of a model
    names what the model pushes.
-#}
{% macro explain_unpublished() %}
    {%- set failed = [] -%}
    {%- set skipped = [] -%}
    {%- for result in results -%}
        {%- if result.status in ('error', 'fail') -%}
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
