-- Every quote of a problem stands, letter by letter, in the text of one of its posts, that which it is said to be from.
with

quotes as (

    select
        problem_id,
        unnest(quotes) as claim,
    from {{ ref('problems') }}

)

select
    quotes.problem_id,
    quotes.claim['quote'] as quote,
from quotes
left join {{ ref('problem_posts') }} as problem_posts
    on quotes.problem_id = problem_posts.problem_id and quotes.claim['url_hash'] = problem_posts.url_hash
left join {{ ref('documents') }} as documents on problem_posts.url_hash = documents.url_hash
where documents.url_hash is null or position(quotes.claim['quote'] in documents.text) = 0
