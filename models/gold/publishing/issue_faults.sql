{{ config(materialized='view') }}

with

issues as (

    select * from {{ nearby(ref('issues')) }}

),

issue_evidence as (

    select * from {{ nearby(ref('issue_evidence')) }}

),

documents as (

    select * from {{ nearby(ref('documents')) }}

),

categories as (

    select * from {{ nearby(ref('categories')) }}

),

evidence_counts as (

    select
        cluster_date,
        issue_id,
        count(*) as posts,
        count(quote) filter (where supports_payment) as payment_quotes,
    from issue_evidence
    group by all

),

faults as (

    select
        cluster_date,
        issue_id,
        unnest({{ label_faults('canonical_title') }}) as fault,
    from issues

    union all

    select
        cluster_date,
        issue_id,
        'a number is beyond its limits' as fault,
    from issues
    where confidence not between -0.00001 and 1.00001

    union all

    -- As many posts stand behind an issue as its cluster_size says, and therefore at least one.
    select
        issues.cluster_date,
        issues.issue_id,
        'its size is not the number of its posts' as fault,
    from issues
    left join evidence_counts
        on issues.cluster_date = evidence_counts.cluster_date and issues.issue_id = evidence_counts.issue_id
    where evidence_counts.posts is distinct from issues.cluster_size

    union all

    -- Nobody is said to pay without a post that is quoted for it.
    select
        issues.cluster_date,
        issues.issue_id,
        'no quote shows that somebody pays' as fault,
    from issues
    left join evidence_counts
        on issues.cluster_date = evidence_counts.cluster_date and issues.issue_id = evidence_counts.issue_id
    where issues.would_pay_signal and coalesce(evidence_counts.payment_quotes, 0) = 0

    union all

    -- A quote stands, letter by letter, in the text of the post that it is said to be from.
    select
        issue_evidence.cluster_date,
        issue_evidence.issue_id,
        'a quote is not in its post' as fault,
    from issue_evidence
    left join documents
        on
            issue_evidence.cluster_date = documents.collection_date
            and issue_evidence.url_hash = documents.url_hash
    where
        issue_evidence.quote is not null
        and (documents.url_hash is null or not contains(documents.text, issue_evidence.quote))

    union all

    select
        cluster_date,
        issue_id,
        'the address of a post is no web address' as fault,
    from issue_evidence
    where not regexp_full_match(url, 'https?://[^/\s]+(/\S*)?')

),

issue_faults as (

    select
        faults.issue_id,
        faults.fault,
        any_value(issues.canonical_title) as title,
        faults.cluster_date,
    from faults
    inner join issues on faults.cluster_date = issues.cluster_date and faults.issue_id = issues.issue_id
    where faults.fault is not null
    group by all

)

select * from issue_faults
