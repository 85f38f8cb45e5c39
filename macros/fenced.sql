{#-
    Text of a post as it may stand inside a prompt's tags: at most `length` characters, and no angle bracket
    left with which it could close the fence and speak for us.
-#}
{% macro fenced(text, length) -%}
    translate({{ cut(text, length) }}, '<>', '‹›')
{%- endmacro %}
