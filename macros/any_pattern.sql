{#-
    The patterns of a seed as one regular expression, a literal: DuckDB compiles a literal once, and anything else
    once a row. Before the seed is there, as when a project is only compiled, it matches nothing.
-#}
{% macro any_pattern(seed) -%}
    {%- if execute and load_relation(seed) -%}
        {%- set pattern = run_query("select string_agg(pattern, '|') from " ~ seed).columns[0].values()[0] -%}
    {%- endif -%}
    '{{ (pattern or '[^\\s\\S]') | replace("'", "''") }}'
{%- endmacro %}
