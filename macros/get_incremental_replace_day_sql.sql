{#-
    Incremental strategy replace_day, for tables that can be computed again: the new rows replace all rows of the day of
    the build, even if there are no new rows. (dbt's delete+insert keeps the old rows if the new batch is empty.)
    `unique_key` names the date column.
-#}
{% macro get_incremental_replace_day_sql(arg_dict) %}
    {%- if flags.EMPTY -%}
    select 'dbt --empty: the rows stay as they are'
    {%- else -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}

    delete from {{ arg_dict['target_relation'] }}
    where {{ arg_dict['unique_key'] }} = {{ run_date() }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
    {%- endif -%}
{% endmacro %}
