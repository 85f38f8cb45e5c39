{#-
    The CTEs claims and standing: the quotes of each `key` that stand, word for word, in a post of the key as it is now.
    A post may have been edited since it was quoted, or have gone. `labels` is the CTE with the lists of quotes, `posts`
    the CTE with url_hash and text of the posts of each key. A key without a standing quote has no row.
-#}
{% macro standing_quotes(labels, posts, key) -%}
    {%- set keys = key | join(',\n        ') -%}
    claims as (

    select
        {{ keys }},
        unnest(quotes) as claim,
        generate_subscripts(quotes, 1) as quote_number,
    from {{ labels }}

),

standing as (

    select
        {% for column in key -%}
        claims.{{ column }},
        {% endfor -%}
        list(claims.claim order by claims.quote_number) as quotes,
        bool_or(claims.claim['supports_payment']) as has_payment,
    from claims
    inner join {{ posts }} as quoted
        on
            claims.claim['url_hash'] = quoted.url_hash
            {% for column in key -%}
            and claims.{{ column }} = quoted.{{ column }}
            {% endfor %}
    where contains(quoted.text, claims.claim['quote'])
    group by all

)
{%- endmacro %}
