{#- Raises an error if a text is not a day of the calendar in the form 2026-11-20. -#}
{% macro require_day(day) %}
    {%- set parts = modules.re.fullmatch('([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', day) -%}
    {%- if parts -%}
        {#- timedelta counts from the first of the month: 31 April becomes 1 May, which differs from the given text. -#}
        {%- set month = modules.datetime.datetime(parts.group(1) | int, parts.group(2) | int, 1) -%}
        {%- set counted = month + modules.datetime.timedelta(days=(parts.group(3) | int) - 1) -%}
    {%- endif -%}
    {%- if not parts or counted.strftime('%Y-%m-%d') != day -%}
        {%- do exceptions.raise_compiler_error(
            "date '" ~ day ~ "' is not a day: write it as in --vars 'date: 2026-11-20'"
        ) -%}
    {%- endif -%}
{% endmacro %}
