{#- A text of at most `length` characters. A longer text is cut and ends with an ellipsis. -#}
{% macro cut(text, length) -%}
    case when length({{ text }}) > {{ length }} then rtrim(left({{ text }}, {{ length - 1 }})) || '…' else {{ text }} end
{%- endmacro %}
