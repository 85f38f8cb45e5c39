{#- Refuses, before anything runs, settings of problems that make no sense. -#}
{% macro require_settings() %}
    {%- for name, low, high in [
        ('complaint_threshold', 0, 1), ('second_opinion_margin', 0, 1), ('problem_similarity', 0.5, 1),
        ('problem_window_days', 2, 366), ('problem_memory_days', 2, 3660)
    ] -%}
        {%- set value = var(name) -%}
        {%- set is_fit = (value is number) if high == 1 else (value is integer) -%}
        {%- if execute and not (is_fit and low <= value <= high) -%}
            {%- do exceptions.raise_compiler_error(
                name ~ ' is a ' ~ ('number' if high == 1 else 'whole number') ~ ' from ' ~ low ~ ' to ' ~ high
                ~ ", not '" ~ value ~ "'"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if execute and var('problem_memory_days') < var('problem_window_days') -%}
        {%- do exceptions.raise_compiler_error(
            'problem_memory_days is ' ~ var('problem_window_days') ~ ' (problem_window_days) or more, not '
            ~ var('problem_memory_days')
        ) -%}
    {%- endif -%}
{% endmacro %}
