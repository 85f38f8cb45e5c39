{#-
    Changes the tables of earlier versions to the form that the models expect, before any model runs. A database of this
    version stays as it is. Every step is idempotent, so that the next build completes a killed upgrade.
-#}
{% macro upgrade_database() %}
    {#- The refs are outside the condition, so that dbt finds the dependencies of this operation. -#}
    {%- set issue_attempts, problem_attempts = ref('issue_label_attempts'), ref('problem_label_attempts') -%}
    {%- set opinion_attempts, daily_report = ref('opinion_attempts'), ref('daily_report') -%}
    {%- set answer_weights, llm_calls = ref('answer_weights'), source('bronze', 'llm_calls') -%}
    {%- set corrections, issues = source('bronze', 'corrections'), ref('issues') -%}
    {%- set forgotten, ingest_requests = source('bronze', 'forgotten'), source('bronze', 'ingest_requests') -%}
    {%- set author_salts = source('bronze', 'author_salts') -%}
    {%- set alert_messages, alert_mutes = source('bronze', 'alert_messages'), source('bronze', 'alert_mutes') -%}
    {%- set built_days = source('bronze', 'built_days') -%}
    {%- set assignments = ref('cluster_assignments') -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'seed', 'test') -%}
        {%- do drop_days_before_0_1(assignments) -%}
        {%- do split_label_attempts(issue_attempts, problem_attempts) -%}
        {%- do create_llm_calls(llm_calls, [opinion_attempts, issue_attempts, problem_attempts]) -%}
        {%- do create_if_missing(
            corrections,
            'correction_id bigint not null, kind text not null, problem_id text, other_problem_id text, posts text[], '
            ~ 'kept_posts text[], title text, undoes bigint, as_of_date date, corrected_at timestamp not null'
        ) -%}
        {%- do create_if_missing(
            forgotten,
            'url_hash text not null, match_hash text not null, forgotten_at timestamp not null, rewritten_at timestamp, '
            ~ 'left_board_at timestamp'
        ) -%}
        {%- do create_if_missing(author_salts, 'fingerprint text not null, first_used_at timestamp not null') -%}
        {%- do create_if_missing(
            alert_messages,
            'message_id text not null, address text not null, kind text not null, subject text not null, '
            ~ 'alert_ids text[] not null, status text not null, attempts bigint not null, error text, '
            ~ 'created_at timestamp not null, sent_at timestamp'
        ) -%}
        {%- do create_if_missing(
            alert_mutes, 'subject text not null, muted_until timestamp, muted_at timestamp not null'
        ) -%}
        {%- do create_if_missing(
            built_days,
            'collection_date date not null, made_of text not null, posts_hash text not null, corrections bigint not null, '
            ~ 'is_tested boolean not null'
        ) -%}
        {%- do add_pauses(ingest_requests) -%}
        {%- do count_posts_by_source(daily_report) -%}
        {%- do allow_unknown_impact(issues) -%}
        {%- do drop_table_if_there(answer_weights, 'post_weights') -%}
    {%- endif -%}
{% endmacro %}

{#-
    Takes the days of versions before 0.1.0 out of the tables: what today's tables need was not kept then. Attempts to get
    a label stay, because they may have been paid for. The posts stand in bronze, so the days can be built anew.
-#}
{% macro drop_days_before_0_1(assignments) %}
    {%- if load_relation(assignments) -%}
        {%- set columns = adapter.get_columns_in_relation(assignments) | map(attribute='name') | list -%}
        {%- set older = 'is_outlier is null' if 'is_outlier' in columns else 'true' -%}
        {%- set days = run_query(
            'select distinct cluster_date::varchar from ' ~ assignments ~ ' where ' ~ older ~ ' order by all'
        ).columns[0].values() -%}
        {%- if days -%}
            {%- set listed = "('" ~ days | join("', '") ~ "')" -%}
            {%- set statements = [] -%}
            {%- for table, names in incremental_tables() -%}
                {%- set day = ['cluster_date', 'collection_date', 'report_date'] | select('in', names) | first -%}
                {%- if day and 'attempt_id' not in names -%}
                    {%- do statements.append('delete from ' ~ table ~ ' where ' ~ day ~ ' in ' ~ listed) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- do run_and_commit(statements | join('; ')) -%}
            {%- do log(
                'A version before 0.1.0 has built ' ~ days | join(', ') ~ '. Build each of these days anew, the first one '
                ~ "first: python -m groundswell build --date " ~ days[0], info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- Runs a statement and commits it. dbt rolls back a transaction that a hook leaves open. -#}
{% macro run_and_commit(statement) %}
    {%- do run_query(statement) -%}
    {%- do adapter.commit() -%}
{% endmacro %}

{#- The relation with another name in the same schema; none if it does not exist. -#}
{% macro relation_beside(relation, name) %}
    {%- do return(load_relation(relation.incorporate(path={'identifier': name}))) -%}
{% endmacro %}

{#- Drops the table with this name in the schema of a relation, if the table exists. -#}
{% macro drop_table_if_there(relation, name) %}
    {%- set found = relation_beside(relation, name) -%}
    {%- if found -%}
        {%- do run_and_commit('drop table ' ~ found) -%}
        {%- do adapter.cache_dropped(found) -%}
    {%- endif -%}
{% endmacro %}

{#-
    Until 0.1, one table held the attempts to label issues and problems; problem_id was null for issues. This step moves
    its rows, and the rows of the journal of a killed build, to the two tables that replace it.
-#}
{% macro split_label_attempts(issue_attempts, problem_attempts) %}
    {%- for suffix in ['', '__journal'] -%}
        {%- set old = relation_beside(issue_attempts, 'label_attempts' ~ suffix) -%}
        {%- if old -%}
            {#- The first versions had no problems, and their journals had fewer columns. -#}
            {%- set columns = adapter.get_columns_in_relation(old) | map(attribute='name') | list -%}
            {%- set is_issue = 'problem_id is null' if 'problem_id' in columns else 'true' -%}
            {%- for new, left_out, condition in [
                (issue_attempts, ['problem_id', 'strays', 'voices'], is_issue),
                (problem_attempts, ['cluster_date', 'cluster_id'], 'not (' ~ is_issue ~ ')')
            ] -%}
                {%- set target = new.incorporate(path={'identifier': new.identifier ~ suffix}, type='table') -%}
                {%- set kept = columns | reject('in', left_out) | join(', ') -%}
                {%- if 'problem_id' in columns or new is sameas issue_attempts -%}
                    {%- do run_and_commit(
                        'create table if not exists ' ~ target.render() ~ ' as select ' ~ kept ~ ' from ' ~ old ~ ' where ' ~ condition
                    ) -%}
                    {%- do adapter.cache_added(target) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- do run_and_commit('drop table ' ~ old) -%}
            {%- do adapter.cache_dropped(old) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{#- Creates the ledger of calls from the calls in the tables of attempts and in their journals. -#}
{% macro create_llm_calls(llm_calls, tables_of_attempts) %}
    {%- if not load_relation(llm_calls) -%}
        {%- set calls = [] -%}
        {%- for attempts in tables_of_attempts -%}
            {%- for suffix in ['__journal', ''] -%}
                {%- set found = relation_beside(attempts, attempts.identifier ~ suffix) -%}
                {%- if found -%}
                    {%- do calls.append(
                        "select attempt_id, '" ~ attempts.identifier ~ "' as asked_by, labeler, status, tokens_in, "
                        ~ "tokens_out, cost_usd, attempted_at from " ~ found ~ " where labeler != 'extractive'"
                    ) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- do calls.append(
            'select null::varchar as attempt_id, null::varchar as asked_by, null::varchar as labeler, null::varchar as status, '
            ~ 'null::bigint as tokens_in, null::bigint as tokens_out, null::double as cost_usd, '
            ~ 'null::timestamp as attempted_at where false'
        ) -%}
        {#- After a killed build, a call may be in the journal and in the table. -#}
        {%- do run_and_commit(
            'create table ' ~ llm_calls.render() ~ ' as select distinct on (attempt_id) * from (' ~ calls | join(' union all ') ~ ')'
        ) -%}
        {%- do adapter.cache_added(llm_calls.incorporate(type='table')) -%}
    {%- endif -%}
{% endmacro %}

{#- Creates a table of bronze without rows, for a database in which nothing has made it yet. -#}
{% macro create_if_missing(table, columns) %}
    {%- if not load_relation(table) -%}
        {%- do run_and_commit('create table ' ~ table.render() ~ ' (' ~ columns ~ ')') -%}
        {%- do adapter.cache_added(table.incorporate(type='table')) -%}
    {%- endif -%}
{% endmacro %}

{#- Until 0.1, nobody noted when a request left, and which pause its answer asked for. -#}
{% macro add_pauses(ingest_requests) %}
    {%- if load_relation(ingest_requests) -%}
        {%- set columns = adapter.get_columns_in_relation(ingest_requests) | map(attribute='name') | list -%}
        {%- for name, type in [('pause_seconds', 'double'), ('left_at', 'timestamp')] if name not in columns -%}
            {%- do run_and_commit('alter table ' ~ ingest_requests ~ ' add column ' ~ name ~ ' ' ~ type) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}

{#- Until 0.1, the daily report had one column for each source. Now a map holds the counts. -#}
{% macro count_posts_by_source(daily_report) %}
    {%- if load_relation(daily_report) -%}
        {%- set columns = adapter.get_columns_in_relation(daily_report) | map(attribute='name') | list -%}
        {%- set old = columns | select('in', ['github_posts', 'hackernews_posts', 'reddit_posts', 'stackoverflow_posts']) | list -%}
        {%- if old -%}
            {%- set entries = [] -%}
            {%- for column in old -%}
                {%- do entries.append("'" ~ column[:-6] ~ "': " ~ column) -%}
            {%- endfor -%}
            {%- do run_and_commit(
                'alter table ' ~ daily_report ~ ' add column if not exists source_counts map(varchar, bigint)'
            ) -%}
            {%- do run_and_commit(
                'update ' ~ daily_report ~ ' set source_counts = map_from_entries(list_filter(map_entries(map {'
                ~ entries | join(', ') ~ '}), lambda entry: entry.value > 0)) where source_counts is null'
            ) -%}
            {%- for column in old -%}
                {%- do run_and_commit('alter table ' ~ daily_report ~ ' drop column if exists ' ~ column) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{#- Until 0.1, the built-in labeller said an impact level of every issue. -#}
{% macro allow_unknown_impact(issues) %}
    {%- if load_relation(issues) -%}
        {%- set found = run_query(
            "select 1 from (describe " ~ issues ~ ") where column_name = 'impact_level' and \"null\" = 'NO'"
        ) -%}
        {%- if found.rows | length -%}
            {%- do run_and_commit('alter table ' ~ issues ~ ' alter column impact_level drop not null') -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
