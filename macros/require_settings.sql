{#-
    Raises an error for an unknown var, and for a value that macro var_rules does not allow. dbt renders the hooks of
    on-run-start while it parses the project. Other vars make it do so anew, except for another day in var `date`, so
    that the check runs in every command, for example in ls and show.
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
    {%- if var('next_day') and var('next_day') | string <= run_day() -%}
        {%- do exceptions.raise_compiler_error('next_day is a day after ' ~ run_day() ~ ', not ' ~ var('next_day')) -%}
    {%- endif -%}
    {%- if var('problem_memory_days') < var('problem_window_days') -%}
        {%- do exceptions.raise_compiler_error(
            'problem_memory_days is ' ~ var('problem_window_days') ~ ' (problem_window_days) or more, not '
            ~ var('problem_memory_days')
        ) -%}
    {%- endif -%}
{% endmacro %}
