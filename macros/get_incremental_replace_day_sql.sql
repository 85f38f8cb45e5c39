{#-
    The incremental strategy of every table that can be computed again: the rows of the day being
    built give way to the new ones, also when there are none. `unique_key` names the date column.
    (dbt's delete+insert would keep a day's old rows when the new batch is empty.)
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
