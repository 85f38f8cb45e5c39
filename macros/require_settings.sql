{#-
    Refuses a var that the project does not know, and a value that a var can not have (macro var_rules says which).
    As the first hook of on-run-start it is rendered while dbt reads the project, hence in every command: build, run,
    test, ls, compile, show, docs.
-#}
{% macro require_settings() %}
    {%- set rules = var_rules() -%}
    {%- for name in (invocation_args_dict.get('vars') or {}) if name not in rules -%}
        {%- set nearest = nearest_name(name, rules) -%}
        {%- do exceptions.raise_compiler_error(
            "there is no var '" ~ name ~ "'" ~ (": did you mean '" ~ nearest ~ "'?" if nearest else ': ')
            ~ ('' if nearest else 'the vars are ' ~ rules | join(', '))
        ) -%}
    {%- endfor -%}
    {%- for name, rule in rules.items() if var.has_var(name) -%}
        {%- do require_value(name, var(name), rule) -%}
    {%- endfor -%}
    {%- if var('problem_memory_days') < var('problem_window_days') -%}
        {%- do exceptions.raise_compiler_error(
            'problem_memory_days is ' ~ var('problem_window_days') ~ ' (problem_window_days) or more, not '
            ~ var('problem_memory_days')
        ) -%}
    {%- endif -%}
    {%- if not execute and flags.WHICH in ('list', 'ls', 'compile') and not var.has_var('date') -%}
        {%- do log('The day is yesterday (UTC), since no --vars name a date', info=true) -%}
    {%- endif -%}
{% endmacro %}
