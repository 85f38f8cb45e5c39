{#-
    Joins the patterns of a seed, from the rows that meet a condition, to one regular expression. The result is a SQL
    literal: DuckDB compiles a literal once, and any other expression once a row. If the seed does not exist yet, as in
    a compile without a database, the expression matches nothing.
-#}
{% macro any_pattern(seed, condition='true') -%}
    {%- if execute and load_relation(seed) -%}
        {%- set pattern = run_query("select string_agg(pattern, '|') from " ~ seed ~ " where " ~
        condition).columns[0].values()[0] -%}
    {%- endif -%}
    '{{ (pattern or '[^\\s\\S]') | replace("'", "''") }}'
{%- endmacro %}
