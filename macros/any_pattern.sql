{#-
    The patterns of a seed as one regular expression, of the rows that meet a condition. The expression is a literal:
    DuckDB compiles a literal once, and any other expression once a row. Before the seed exists, as when a project is
    only compiled, the expression matches nothing.
-#}
{% macro any_pattern(seed, condition='true') -%}
    {%- if execute and load_relation(seed) -%}
        {%- set pattern = run_query("select string_agg(pattern, '|') from " ~ seed ~ " where " ~ condition).columns[0].values()[0] -%}
    {%- endif -%}
    '{{ (pattern or '[^\\s\\S]') | replace("'", "''") }}'
{%- endmacro %}
