{#-
    Incremental strategy replace_from_day, for tables in which the rows of a day depend on earlier days: the new rows
    replace all rows of the day of the build and of later days. `unique_key` names the date column.
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
