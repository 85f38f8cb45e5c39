{#- The posts of a prompt, of columns sample_number, url_hash, source, text, and shown_text: as data and as it shows them. -#}
{% macro shown_posts() -%}
    list({ 'sample_number': sample_number, 'url_hash': url_hash, 'text': text } order by sample_number) as samples,
    string_agg(
        '<post n="' || sample_number || '" source="' || source || '">' || coalesce(shown_text, '') || '</post>',
        chr(10)
        order by sample_number
    ) as shown_posts
{%- endmacro %}
