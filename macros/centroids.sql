{#-
    The CTEs components, means and centroids: the mean embedding of the posts of each `key`. `posts` is the CTE of the
    posts.
-#}
{% macro centroids(posts, key) -%}
    {%- set key = key | join(',\n        ') -%}
    components as (

    select
        {{ key }},
        -- A sum of decimals does not depend on the order in which threads add them; a sum of floats does.
        unnest(embedding)::decimal(10, 8) as component,
        generate_subscripts(embedding, 1) as dimension,
    from {{ posts }}

),

means as (

    select
        {{ key }},
        dimension,
        avg(component) as component,
    from components
    group by all

),

centroids as (

    select
        {{ key }},
        list(component order by dimension)::float[384] as centroid,
    from means
    group by all

)
{%- endmacro %}
