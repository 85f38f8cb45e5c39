-- Every quote in a problem's label stands, letter by letter, in the text of the post that it is said to be from.
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
left join {{ ref('documents') }} as documents on quotes.claim['url_hash'] = documents.url_hash
where documents.url_hash is null or position(quotes.claim['quote'] in documents.text) = 0
