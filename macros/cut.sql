{#- A text of at most `length` characters, with an ellipsis where something was cut off. -#}
{% macro cut(text, length) -%}
    case when length({{ text }}) > {{ length }} then rtrim(left({{ text }}, {{ length - 1 }})) || '…' else {{ text }} end
{%- endmacro %}
