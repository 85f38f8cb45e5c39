{#-
    HTML or markdown to the words a person reads: no scripts, code blocks, tags, link targets or
    markup; the common entities decoded; white space folded. SQL text in, SQL text out.
    Tags go before entities are decoded, so that text about "&lt;b&gt;" survives as "<b>".
-#}
{% macro plain_text(column) -%}
    {%- set blocks = [
        '<script\\b.*?(</script\\s*>|\\z)',
        '<style\\b.*?(</style\\s*>|\\z)',
        '<pre\\b.*?(</pre\\s*>|\\z)',
        '<!--.*?(-->|\\z)',
        '```.*?(```|\\z)',
        '~~~.*?(~~~|\\z)',
        '</?[a-z][^<>]*>',
    ] -%}
    {%- set marks = [
        'https?://[^\\s<>()\"]+',
        '^[ \\t]*(>[ \\t]?)+',
        '^[ \\t]*(#{1,6}|[-*+]|[0-9]+\\.)[ \\t]',
        '[*`|]',
        '[-=_]{3,}',
        '[\\x{200B}-\\x{200F}\\x{202A}-\\x{202E}\\x{2060}\\x{FEFF}]',
    ] -%}
    {%- set entities = {
        '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#34;': '"', '&#39;': "''", '&#x27;': "''",
        '&#x2F;': '/', '&nbsp;': ' ', '&amp;': '&',
    } -%}
    {%- set sql = namespace(text="regexp_replace(" ~ column ~ ", '(?ims)" ~ blocks | join('|') ~ "', ' ', 'g')") -%}
    {#- A link is its text, and a character that markdown escapes is itself. -#}
    {%- set sql.text = "regexp_replace(" ~ sql.text ~ ", '!?\\[([^\\[\\]]*)\\]\\([^()]*\\)', '\\1', 'g')" -%}
    {%- set sql.text = "regexp_replace(" ~ sql.text ~ ", '\\\\([!-/:-@\\[-`{-~])', '\\1', 'g')" -%}
    {%- for entity, character in entities.items() -%}
        {%- set sql.text = "replace(" ~ sql.text ~ ", '" ~ entity ~ "', '" ~ character ~ "')" -%}
    {%- endfor -%}
    {%- set sql.text = "regexp_replace(" ~ sql.text ~ ", '(?im)" ~ marks | join('|') ~ "', ' ', 'g')" -%}
    trim(regexp_replace({{ sql.text }}, '\s+', ' ', 'g'))
{%- endmacro %}
