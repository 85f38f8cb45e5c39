{#-
    Pre-hook of silver.problem_candidates: deletes the problems whose posts are others now, and those with posts of the
    day being built, whose votes may have changed. The model puts them back as they are.
-#}
{% macro forget_changed_problems() %}
    {%- if execute and load_relation(this) -%}
        {%- set members = ref('problem_members') -%}
        delete from {{ this }}
        where problem_id in (
            (select problem_id from (select url_hash, problem_id from {{ members }} except select url_hash, problem_id from {{ this }}))
            union
            (select problem_id from (select url_hash, problem_id from {{ this }} except select url_hash, problem_id from {{ members }}))
            union
            (select problem_id from {{ this }} where collection_date = {{ run_date() }})
        )
    {%- endif -%}
{% endmacro %}
