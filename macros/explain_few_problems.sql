{#-
    Prints the row of gold.problem_searches after a build, if this run wrote the row and fewer than three problems are
    published: what was looked at, the groups that are nearest to being a problem, and what would change the result.
-#}
{% macro explain_few_problems() %}
    {%- set problem_searches = ref('problem_searches') -%}
    {%- if execute and not flags.EMPTY -%}
        {%- for result in results if result.node.name == 'problem_searches' and result.status == 'success' -%}
            {%- set search = run_query(
                'select * exclude (nearest_groups, advice), to_json(nearest_groups)::varchar as nearest_groups,'
                ~ ' to_json(advice)::varchar as advice from ' ~ problem_searches ~ ' where search_date = ' ~ run_date()
            ).rows[0] -%}
            {%- if search.problems < 3 -%}
                {%- do log(
                    run_day() ~ ': ' ~ (search.problems or 'no') ~ ' problem' ~ ('s' if search.problems > 1 else '')
                    ~ (' is' if search.problems < 2 else ' are') ~ ' published. Of ' ~ search.window_posts ~ ' posts in '
                    ~ search.window_days ~ ' of the last ' ~ search.longest_window ~ ' days, ' ~ search.window_complaints
                    ~ ' complain; ' ~ search.near_pairs ~ ' pairs of complaints have a chance of '
                    ~ '%.2f' | format(search.least_chance) ~ ' or more to be the same problem (problem_tier: '
                    ~ search.tier ~ ')', info=true
                ) -%}
                {%- for group in fromjson(search.nearest_groups) -%}
                    {#- Rounded down, so that a chance below the limit is not shown as the limit. -#}
                    {%- set percent = ((group.chance or 0) * 100 + 1e-9) | int -%}
                    {%- do log(
                        run_day() ~ ': near a problem, but ' ~ group.reason ~ ' (' ~ group.posts ~ ' posts, '
                        ~ group.voices ~ ' voices of ' ~ search.least_voices ~ ' needed, chance '
                        ~ ('%.2f' | format(percent / 100) if group.chance is not none else 'unknown') ~ '): '
                        ~ (group.titles | join(' | ')), info=true
                    ) -%}
                {%- endfor -%}
                {%- for sentence in fromjson(search.advice) -%}
                    {%- do log(run_day() ~ ': ' ~ sentence, info=true) -%}
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
