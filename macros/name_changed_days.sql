{#-
    Names after a build the days whose posts have changed since they were built: posts that came late, were edited or
    erased, or moved to another day. gold.daily_report has the hash of the posts that a build has read.
-#}
{% macro name_changed_days() %}
    {%- set posts, daily_report = ref('posts'), ref('daily_report') -%}
    {%- if execute and not flags.EMPTY and flags.WHICH in ('build', 'run') -%}
        {#- A build of a part of the project leaves the tables of an earlier version as they are. -#}
        {%- set known = [] -%}
        {%- for relation in (load_relation(posts), load_relation(daily_report)) if relation -%}
            {%- do known.extend(adapter.get_columns_in_relation(relation) | map(attribute='name')) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if known and 'post_hash' in known and 'posts_hash' in known -%}
        {%- set days = run_query(
            'select posts.collection_date::varchar from ' ~ posts ~ ' as posts inner join ' ~ daily_report ~ ' as built'
            ~ ' on posts.collection_date = built.report_date where built.posts_hash is not null'
            ~ ' group by posts.collection_date, built.posts_hash'
            ~ ' having bit_xor(posts.post_hash)::varchar <> built.posts_hash order by posts.collection_date'
        ).columns[0].values() -%}
        {%- if days -%}
            {%- do log(
                'The posts of ' ~ days | join(', ') ~ ' have changed since ' ~ ('it was' if days | length == 1 else 'they were')
                ~ " built. Build the first of them, then the rest: python -m groundswell build --date " ~ days[0], info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
