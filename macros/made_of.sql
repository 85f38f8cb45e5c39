{#-
    A hash of all that makes the rows of a day, besides its posts: the files of the models, macros and seeds, the Python code
    that models share, the vars, and the environment variables in the settings of models. The watchlist is not part of it:
    every build applies it to all days.
-#}
{% macro made_of() %}
    {%- set settings = {} -%}
    {%- for name in var_rules() if name not in ('date', 'relabel', 'publish', 'next_day') -%}
        {%- do settings.update({name: var(name) | string}) -%}
    {%- endfor -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta -%}
        {%- do settings.update({node.unique_id: node.config.meta}) -%}
    {%- endfor -%}
    {%- set hashed = run_query(
        "select sha256(string_agg(filename || sha256(content), '' order by filename) || '"
        ~ local_md5(tojson(settings, sort_keys=true)) ~ "') from read_blob(['groundswell/**/*.py', 'macros/*.sql',"
        ~ " 'models/**/*.py', 'models/**/*.sql', 'seeds/*.csv'])"
    ) -%}
    {%- do return(hashed.columns[0].values()[0]) -%}
{% endmacro %}
