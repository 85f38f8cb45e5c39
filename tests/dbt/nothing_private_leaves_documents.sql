{{ config(tags=['of_day']) }}

-- What the board shows and a language model reads holds no e-mail address, at whatever top-level domain, and no key of
-- a well-known form. git@host: and git@host/ begin the address of a repository, and icon@2x.png is the name of a file.
-- silver.redactions replaces what is found here, so no post fails this test alone. The word at which a text was cut is
-- left out: it was whole when it was searched.
with

documents as (

    select * from {{ ref('documents') }}
    where collection_date = {{ run_date() }}

),

texts as (

    select
        url_hash,
        unnest([
            title,
            regexp_replace(excerpt, '\S*…$', ''),
            if(length(text) = 2000, regexp_replace(text, '\S*$', ''), text),
            redacted_title,
            redacted_body
        ]) as text,
    from documents

),

addresses as (

    select
        url_hash,
        unnest(
            regexp_extract_all(
                regexp_replace(text, '\bgit@[A-Za-z0-9.-]+[:/]', ' ', 'g'),
                '[A-Za-z0-9_%+''-][A-Za-z0-9_.%+''-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}\b'
            )
        ) as found,
    from texts

),

secrets as (

    select
        url_hash,
        regexp_extract(
            text,
            '-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:gh[pousr]_[A-Za-z0-9]{36}|AKIA[A-Z0-9]{16}\b'
            || '|sk_live_[A-Za-z0-9]{20}|xox[bp]-[0-9]{8}|glpat-[A-Za-z0-9_-]{20}|hf_[A-Za-z0-9]{30}'
            || '|AIza[A-Za-z0-9_-]{35})'
        ) as found,
    from texts

)

select * from addresses
where
    lower(regexp_extract(found, '[A-Za-z]+$')) not in (
        'png', 'jpg', 'jpeg', 'gif', 'svg', 'webp', 'ico', 'js', 'mjs', 'ts', 'tsx', 'jsx', 'css', 'scss', 'html',
        'json', 'yaml', 'yml', 'dll', 'exe'
    )
union all
select * from secrets
where found != ''
