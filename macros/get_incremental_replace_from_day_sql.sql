{#-
    Incremental strategy replace_from_day, for tables in which the rows of a day depend on earlier days: the new rows
    replace all rows of the day of the build and of later days. `unique_key` names the date column. With var next_day the
    rows from that day on stay, but for those of posts that have new rows: the build of that day replaces all of them.
-#}
{% macro get_incremental_replace_from_day_sql(arg_dict) %}
    {%- if flags.EMPTY -%}
    select 'dbt --empty: the rows stay as they are'
    {%- else -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}

    delete from {{ arg_dict['target_relation'] }}
    where
        {{ arg_dict['unique_key'] }} >= {{ run_date() }}
        {%- if var('next_day') %}
        and (
            {{ arg_dict['unique_key'] }} < date '{{ var("next_day") }}'
            or url_hash in (select url_hash from {{ arg_dict['temp_relation'] }})
        )
        {%- endif %};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
    {%- endif -%}
{% endmacro %}
