{#-
    The newest day in the table of the current model, as text; none if the model has no table, no rows or no date
    column. The date column is meta day_column, or else the unique_key of the strategies replace_day and
    replace_from_day. The first call logs the day and stores it in `model` for later calls.
-#}
{% macro newest_day() %}
    {%- if 'newest_day' not in model -%}
        {%- set replaces_days = (config.get('incremental_strategy') or '').startswith('replace_') -%}
        {%- set column = (config.get('meta') or {}).get('day_column') or (config.get('unique_key') if replaces_days) -%}
        {%- if column and load_relation(this) -%}
            {%- set newest = run_query('select max(' ~ column ~ ')::text from ' ~ this.render()).columns[0].values()[0]
            -%}
        {%- endif -%}
        {%- do model.update({'newest_day': newest or none}) -%}
        {%- if newest -%}
            {%- do log(
                this.identifier ~ ': ' ~ newest ~ ", the newest day; --vars 'date: " ~ newest ~ "' names another",
                info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
    {%- do return(model.newest_day) -%}
{% endmacro %}
