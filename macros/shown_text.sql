{#- The text of a post in a prompt: its beginning, and the quote about paying if that is not in the beginning. -#}
{% macro shown_text(text, quote) -%}
    {{ fenced(text, 400) }}
    || case
        when position({{ quote }} in left({{ text }}, 399)) = 0 then ' … ' || {{ fenced(quote, 300) }} else ''
    end
{%- endmacro %}
