{#- A post's text as a model sees it: its beginning, and the words about paying where they stand farther on. -#}
{% macro shown_text(text, quote) -%}
    {{ fenced(text, 400) }}
    || case
        when position({{ quote }} in left({{ text }}, 399)) = 0 then ' … ' || {{ fenced(quote, 300) }} else ''
    end
{%- endmacro %}
