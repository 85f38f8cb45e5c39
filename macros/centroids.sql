{#-
    The CTEs components, means and centroids: the mean embedding of what `key` names, of whose posts `posts` is the CTE.
-#}
{% macro centroids(posts, key) -%}
    {%- set key = key | join(',\n        ') -%}
    components as (

    select
        {{ key }},
        -- Decimals add up to the same sum in whatever order the threads meet them; floats do not.
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
