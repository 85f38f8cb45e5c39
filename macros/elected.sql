{#-
    The CTEs votes, means and elected: the most likely category and impact of each `key`. The mean of the posts'
    probabilities in silver.post_signals decides. impact_level is null if the labeller does not know it (macro
    known_impact). `posts` is the CTE of the posts.
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
        arg_max(answer, (probability, answer)) filter (where field = 'impact') as likely_impact,
        max(probability) filter (where field = 'impact') as impact_probability,
        {{ known_impact('likely_impact', 'impact_probability') }} as impact_level,
    from means
    group by all

)
{%- endmacro %}
