{#-
    The text of a post for a prompt, at most `length` characters. The prompt puts the text between tags (the fence).
    Other characters replace angle brackets, so that no post can close the fence and give instructions to the model.
-#}
{% macro fenced(text, length) -%}
    translate({{ cut(text, length) }}, '<>', '‹›')
{%- endmacro %}
