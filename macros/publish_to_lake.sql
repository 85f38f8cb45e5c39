{#-
    Publishes what the build has made to the lake, if all of its nodes have passed. A test of what is held back for a
    fault of its own (problem_faults, issue_faults) may fail. Without GROUNDSWELL_LAKE this macro does nothing.
-#}
{% macro publish_to_lake() %}
    {%- if execute and env_var('GROUNDSWELL_LAKE', '') and flags.WHICH in ('build', 'run', 'seed') and target.name != 'dev' -%}
        {%- set failed = [] -%}
        {%- for result in results if result.status in ('error', 'fail', 'runtime error', 'skipped') -%}
            {%- if result.node.name not in ('no_problem_is_held_back', 'no_issue_is_held_back') -%}
                {%- do failed.append(result.node.name) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if failed -%}
            {%- do log(
                'Nothing of ' ~ run_day() ~ ' is published to the lake, since ' ~ failed[:3] | join(', ')
                ~ (' and ' ~ (failed | length - 3) ~ ' more' if failed | length > 3 else '') ~ ' did not pass', info=true
            ) -%}
        {%- else -%}
            {%- set keys = {} -%}
            {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
                {%- set kind = node.config.materialized -%}
                {%- if kind in ('table', 'seed') -%}
                    {%- do keys.update({node.schema ~ '.' ~ node.alias: none}) -%}
                {%- elif kind == 'incremental' -%}
                    {%- set key = node.config.unique_key if node.config.incremental_strategy == 'delete+insert' else [] -%}
                    {%- do keys.update({node.schema ~ '.' ~ node.alias: [key] if key is string else key}) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- set call = "select publish_to_lake('" ~ tojson(keys) ~ "')" -%}
            {%- set outcome = fromjson(run_query(call).columns[0].values()[0]) -%}
            {%- if 'error' in outcome -%}
                {%- do exceptions.raise_compiler_error(outcome['error']) -%}
            {%- endif -%}
            {%- do log(outcome['message'], info=true) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
