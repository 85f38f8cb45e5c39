{#-
    The CTEs votes, means and elected: category and impact of what `key` names, each the likeliest by the mean of the
    probabilities that silver.post_signals gives its posts, of which `posts` is the CTE.
-#}
{% macro elected(posts, key) -%}
    {%- set key = key | join(',\n        ') -%}
    votes as (

    {%- for field in ['category', 'impact'] %}

    select
        {{ key }},
        '{{ field }}' as field,
        unnest(map_keys({{ field }}_probabilities)) as answer,
        unnest(map_values({{ field }}_probabilities)) as probability,
    from {{ posts }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

means as (

    select
        {{ key }},
        field,
        answer,
        avg(probability) as probability,
    from votes
    group by all

),

elected as (

    select
        {{ key }},
        arg_max(answer, (probability, answer)) filter (where field = 'category') as category,
        max(probability) filter (where field = 'category') as category_probability,
        arg_max(answer, (probability, answer)) filter (where field = 'impact') as impact_level,
        max(probability) filter (where field = 'impact') as impact_probability,
    from means
    group by all

)
{%- endmacro %}
