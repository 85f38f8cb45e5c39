{#-
    The columns samples (the posts as data) and shown_posts (the posts as the prompt shows them). The input has the
    columns sample_number, url_hash, source, text and shown_text.
-#}
{% macro shown_posts() -%}
    list({ 'sample_number': sample_number, 'url_hash': url_hash, 'text': text } order by sample_number) as samples,
    string_agg(
        '<post n="' || sample_number || '" source="' || source || '">' || coalesce(shown_text, '') || '</post>',
        chr(10)
        order by sample_number
    ) as shown_posts
{%- endmacro %}
