{#-
    The names of the signals of a seed that a post shows, as a list; `part` says in which column each is looked for.
    Its patterns become literals: DuckDB compiles a literal once, and anything else once a row. Before the seed is
    there, as when a project is only compiled, there are none.
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
