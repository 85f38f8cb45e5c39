{#-
    A row belongs to the day of its post, and follows it. Before any model runs, this macro deletes the rows of posts
    that bronze.raw_items has no more, or has on another day, from every incremental table. With such a row go the rows
    of its topic, and of its problem in silver.problem_candidates, which were computed from it. The next build of a day
    makes them anew; macro name_changed_days says of which day.
    The columns of a table say what its rows are about. url_hash is a post, collection_date or else cluster_date the day
    of the post; other_url_hash and duplicate_of are a second post; cluster_date and cluster_id are a topic. Attempts to
    get a label stay, because they may have been paid for.
-#}
{% macro follow_posts() %}
    {#- The refs are outside the condition, so that dbt finds the dependencies of this operation. -#}
    {%- set raw_items, placed = source('bronze', 'raw_items'), ref('cluster_assignments') -%}
    {%- if execute and not flags.EMPTY and flags.WHICH in ('build', 'run') and load_relation(raw_items) -%}
        {%- set of_topics, of_posts = [], [] -%}
        {%- set lost_topics -%}
            (cluster_date, cluster_id) in (
                select (lost.cluster_date, lost.cluster_id)
                from {{ placed }} as lost
                anti join {{ raw_items }} as raw_items
                    on lost.url_hash = raw_items.url_hash and lost.cluster_date = raw_items.collection_date
            )
        {%- endset -%}
        {%- for table, columns in incremental_tables() -%}
            {%- if 'action' in columns and 'cluster_id' in columns -%}
                {#- The ledger of the board. -#}
                {%- do of_topics.append(
                    'update ' ~ table ~ " set action = 'delete', synced_at = null where action is distinct from 'delete' and "
                    ~ lost_topics
                ) -%}
            {%- elif 'cluster_id' in columns and 'attempt_id' not in columns and table.identifier != placed.identifier -%}
                {%- do of_topics.append('delete from ' ~ table ~ ' where ' ~ lost_topics) -%}
            {%- endif -%}
            {%- if 'url_hash' in columns -%}
                {%- if 'collection_date' in columns -%}
                    {%- set day = 'collection_date =' -%}
                {%- elif 'cluster_date' in columns -%}
                    {%- set day = 'cluster_date =' -%}
                {%- else -%}
                    {%- set day = 'as_of_date >=' -%}
                {%- endif -%}
                {%- set is_lost -%}
                    not exists (
                        select 1 from {{ raw_items }} as raw_items
                        where raw_items.url_hash = it.url_hash and it.{{ day }} raw_items.collection_date
                    )
                {%- endset -%}
                {%- for other in ['other_url_hash', 'duplicate_of'] if other in columns -%}
                    {%- set is_lost_too -%}
                        it.{{ other }} is not null and not exists (
                            select 1 from {{ raw_items }} as raw_items
                            where raw_items.url_hash = it.{{ other }} and it.{{ day }} raw_items.collection_date
                        )
                    {%- endset -%}
                    {#- A document is about one post. Rows of the other tables are about both. -#}
                    {%- if 'content_hash' in columns -%}
                        {%- do of_posts.append('update ' ~ table ~ ' as it set ' ~ other ~ ' = null where ' ~ is_lost_too) -%}
                    {%- else -%}
                        {%- do of_posts.append('delete from ' ~ table ~ ' as it where ' ~ is_lost_too) -%}
                    {%- endif -%}
                {%- endfor -%}
                {%- if 'problem_post_id' in columns -%}
                    {%- do of_posts.append(
                        'delete from ' ~ table ~ ' where problem_id in (select it.problem_id from ' ~ table
                        ~ ' as it where ' ~ is_lost ~ ')'
                    ) -%}
                {%- else -%}
                    {%- do of_posts.append('delete from ' ~ table ~ ' as it where ' ~ is_lost) -%}
                {%- endif -%}
            {%- endif -%}
        {%- endfor -%}
        {#- Topics first: which of them are lost stands in a table of posts. A kill leaves all rows or none. -#}
        {%- do run_query((of_topics + of_posts) | join(';\n')) if of_posts -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{% endmacro %}
