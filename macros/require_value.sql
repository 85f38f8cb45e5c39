{#- Raises an error if the `rule` of the var `name` does not allow the `value` (macro var_rules). -#}
{% macro require_value(name, value, rule) %}
    {%- set is_number = value is number and value is not boolean -%}
    {%- if rule.kind == 'day' -%}
        {%- do require_day(value | string) if not (rule.optional and value is none) -%}
        {%- set fits = true -%}
    {%- elif rule.kind == 'boolean' -%}
        {%- set fits = value is boolean -%}
        {%- set expected = 'true or false' -%}
    {%- elif rule.kind == 'text' -%}
        {%- set fits = value is string and value | trim -%}
        {%- set expected = 'a text' -%}
    {%- elif rule.kind == 'choice' -%}
        {%- set fits = value in rule['values'] -%}
        {%- set expected = rule['values'][:-1] | join(', ') ~ ' or ' ~ rule['values'][-1] -%}
    {%- elif rule.open -%}
        {%- set fits = is_number and rule.low < value < rule.high -%}
        {%- set expected = 'a ' ~ rule.kind ~ ' over ' ~ rule.low ~ ' and below ' ~ rule.high -%}
    {%- elif 'high' in rule -%}
        {%- set is_kind = (value is integer) if rule.kind == 'whole number' else is_number -%}
        {%- set fits = is_kind and rule.low <= value <= rule.high -%}
        {%- set expected = 'a ' ~ rule.kind ~ ' from ' ~ rule.low ~ ' to ' ~ rule.high -%}
    {%- else -%}
        {%- set fits = is_number and value >= rule.low -%}
        {%- set expected = 'a ' ~ rule.kind ~ ', ' ~ rule.low ~ ' or more' -%}
    {%- endif -%}
    {%- if not (fits or (rule.optional and value is none)) -%}
        {%- do exceptions.raise_compiler_error(name ~ ' is ' ~ expected ~ ", not '" ~ value ~ "'") -%}
    {%- endif -%}
{% endmacro %}
