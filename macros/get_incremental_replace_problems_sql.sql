{#-
    Incremental strategy replace_problems, for silver.problem_candidates: the new rows replace all rows of their
    problems, and problems without members are deleted. `unique_key` names the column of the problem's id.
-#}
{% macro get_incremental_replace_problems_sql(arg_dict) %}
    {%- if flags.EMPTY -%}
    select 'dbt --empty: the rows stay as they are'
    {%- else -%}
    {%- set key = arg_dict['unique_key'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}

    delete from {{ arg_dict['target_relation'] }}
    where
        {{ key }} in (select {{ key }} from {{ arg_dict['temp_relation'] }})
        or {{ key }} not in (select {{ key }} from {{ ref('problem_members') }});

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
    {%- endif -%}
{% endmacro %}
