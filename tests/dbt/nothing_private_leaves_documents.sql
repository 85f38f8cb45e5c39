-- E-mail addresses and keys of well-known looks: what the board shows and the model is told has none.
with

documents as (

    select * from {{ ref('documents') }}
    where collection_date = {{ run_date() }}

),

texts as (

    select
        url_hash,
        unnest([title, excerpt, text, redacted_title, redacted_body]) as text,
    from documents

)

select * from texts
where
    regexp_matches(text, '\b[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9-]+\.(com|org|net|edu|gov|io|de|uk|fr)\b')
    and not regexp_matches(text, '\bgit@')
    or regexp_matches(text, '\b(gh[pousr]_[A-Za-z0-9]{36}|AKIA[A-Z0-9]{16}\b|sk_live_[A-Za-z0-9]{20}|xox[bp]-[0-9]{8})')
    or regexp_matches(text, '-----BEGIN [A-Z ]*PRIVATE KEY-----')
