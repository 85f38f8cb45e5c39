{#-
    Says as JSON what `python -m groundswell backfill` has to do from one day to another: for each day with posts their
    number, whether it was tested, and why a build is due, or null. It is the same rule for all: built by a complete build
    of the same code and settings, no post changed and no correction made since.
-#}
{% macro name_days(first, last) %}
    {%- set raw_items, built_days = source('bronze', 'raw_items'), source('bronze', 'built_days') -%}
    {%- set corrections = source('bronze', 'corrections') -%}
    {%- set posts = ref('posts') -%}
    {%- do require_day(first) -%}
    {%- do require_day(last) -%}
    {%- set between = "between date '" ~ first ~ "' and date '" ~ last ~ "'" -%}
    {%- set days = [] -%}
    {%- if execute and load_relation(raw_items) -%}
        {%- set counted -%}
            select collection_date, count(*) as posts from {{ raw_items }}
            where collection_date {{ between }}
            group by all
        {%- endset -%}
        {%- if load_relation(posts) and load_relation(built_days) -%}
            {%- set query -%}
                with counted as ({{ counted }}),
                hashed as (
                    select collection_date, bit_xor(post_hash)::varchar as posts_hash from {{ posts }}
                    where collection_date {{ between }}
                    group by all
                ),
                corrected as (
                    select as_of_date as collection_date, count(*) as corrections from {{ corrections }}
                    group by all
                )
                select
                    counted.collection_date::varchar,
                    counted.posts,
                    coalesce(built_days.is_tested, false),
                    case
                        when built_days.made_of is null then 'not built'
                        when built_days.made_of <> '{{ made_of() }}' then 'built with other code or settings'
                        when built_days.posts_hash <> hashed.posts_hash then 'posts changed'
                        when coalesce(corrected.corrections, 0) <> built_days.corrections then 'corrected'
                    end
                from counted
                left join hashed using (collection_date)
                left join corrected using (collection_date)
                left join {{ built_days }} as built_days using (collection_date)
                order by all
            {%- endset -%}
        {%- else -%}
            {%- set query = 'select collection_date::varchar, posts, false, \'not built\' from (' ~ counted ~ ') order by all' -%}
        {%- endif -%}
        {%- for day, number, is_tested, due in run_query(query).rows -%}
            {%- do days.append({'day': day, 'posts': number | int, 'is_tested': is_tested, 'due': due}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do log(tojson({'days': days}), info=true) -%}
{% endmacro %}
