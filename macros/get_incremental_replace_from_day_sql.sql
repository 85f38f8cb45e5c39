{#-
    The incremental strategy of a table in which each day builds on those before: the rows of the day being built and
    of all later days give way to the new ones, which hold all of these days. `unique_key` names the date column.
-#}
{% macro get_incremental_replace_from_day_sql(arg_dict) %}
    {%- if flags.EMPTY -%}
    select 'dbt --empty: the rows stay as they are'
    {%- else -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}

    delete from {{ arg_dict['target_relation'] }}
    where {{ arg_dict['unique_key'] }} >= {{ run_date() }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
    {%- endif -%}
{% endmacro %}
