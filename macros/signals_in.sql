{#-
    The names of the signals of a seed that match a post, as a list. Column `part` of the seed names the column to
    search: title or text. The patterns become literals: DuckDB compiles a literal once, and any other expression once a
    row. If the seed does not exist yet, as in a compile without a database, the list is empty.
-#}
{% macro signals_in(seed) -%}
    {%- if execute and load_relation(seed) -%}
        {%- set signals = run_query("select signal, part, pattern from " ~ seed ~ " order by signal").rows -%}
    {%- endif -%}
    list_filter(
        [
            {%- for signal, part, pattern in signals or [] %}
            if(regexp_matches({{ part }}, '{{ pattern | replace("'", "''") }}', 'i'), '{{ signal }}', null),
            {%- endfor %}
        ]::text[],
        lambda signal: signal is not null
    )
{%- endmacro %}
