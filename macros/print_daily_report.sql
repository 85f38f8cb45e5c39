{#- Prints the row of gold.daily_report in three lines after a build, if this run wrote the row. -#}
{% macro print_daily_report() %}
    {%- set daily_report, sources = ref('daily_report'), ref('sources') -%}
    {%- if execute -%}
        {%- set written = namespace(found=false) -%}
        {%- for result in results if result.node.name == 'daily_report' and result.status == 'success' -%}
            {%- set written.found = true -%}
        {%- endfor -%}
        {%- if written.found and not flags.EMPTY -%}
            {%- set day = run_query('select * from ' ~ daily_report ~ ' where report_date = ' ~ run_date()).rows[0] -%}
            {%- set posts_by_source = run_query(
                "select coalesce(sources.label, counted.source) || ' ' || counted.posts"
                ~ ' from (select unnest(map_keys(source_counts)) as source, unnest(map_values(source_counts)) as posts'
                ~ ' from ' ~ daily_report ~ ' where report_date = ' ~ run_date() ~ ') as counted'
                ~ ' left join ' ~ sources ~ ' as sources on counted.source = sources.name'
                ~ ' order by counted.source'
            ).columns[0].values() -%}
            {%- do log(
                run_day() ~ ': ' ~ counted(day.posts, 'post')
                ~ (' (' ~ posts_by_source | join(', ') ~ '), ' if posts_by_source else ', ')
                ~ counted(day.complaints, 'complaint')
                ~ (' (' ~ counted(day.second_opinions, 'second opinion') ~ ')' if day.second_opinions else '') ~ ', '
                ~ counted(day.duplicates, 'duplicate') ~ ', '
                ~ (day.posts_from_programs ~ ' by programs, ' if day.posts_from_programs else '')
                ~ counted(day.outliers, 'outlier'), info=true
            ) -%}
            {%- do log(
                run_day() ~ ': ' ~ counted(day.clusters, 'topic') ~ ', ' ~ day.issues_labelled ~ ' labelled, ' ~ day.issues_failed
                ~ ' failed, ' ~ day.issues_waiting ~ ' waiting, '
                ~ (day.issues_synced ~ ' live' if day.issues_synced or env_var('POCKETBASE_URL', '') else 'nothing pushed')
                ~ '; language models today ' ~ '%.4f' | format(day.spent_today_usd) ~ ' USD', info=true
            ) -%}
            {%- do log(
                run_day() ~ ': problems ' ~ day.problems_opened ~ ' opened, ' ~ day.problems_continued ~ ' continued, '
                ~ day.problems_reopened ~ ' reopened, ' ~ day.problems_merged ~ ' merged, ' ~ day.problems_split
                ~ ' split, ' ~ day.problems_dormant ~ ' dormant; ' ~ day.problems_labelled ~ ' labelled in all, '
                ~ (day.problems_mixed ~ ' mixed, ' if day.problems_mixed else '') ~ day.problems_waiting ~ ' waiting, '
                ~ day.problems_failed ~ ' failed', info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
