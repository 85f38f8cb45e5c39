{#-
    The allowed values of each var of the project: {name: rule}. A rule has a `kind` (day, boolean, text, number, whole
    number or choice). Numbers have bounds `low` and `high`; `open` excludes the bounds themselves. Choices have
    `values`. `optional` allows null, which means "no limit". dbt_project.yml has the defaults; var `date` has no
    default.
-#}
{% macro var_rules() %}
    {%- do return({
        'date': {'kind': 'day'},
        'relabel': {'kind': 'boolean'},
        'publish': {'kind': 'boolean'},
        'next_day': {'kind': 'day', 'optional': true},
        'llm_budget_usd': {'kind': 'number', 'low': 0, 'optional': true},
        'llm_budget_tokens': {'kind': 'number', 'low': 0, 'optional': true},
        'llm_timeout_seconds': {'kind': 'number', 'low': 0.1, 'high': 86400},
        'llm_calls_in_flight': {'kind': 'whole number', 'low': 1, 'high': 64},
        'llm_answer_tokens': {'kind': 'whole number', 'low': 1, 'high': 1000000},
        'llm_rejections': {'kind': 'whole number', 'low': 1, 'high': 1000},
        'embedding_model': {'kind': 'text'},
        'embedding_precision': {'kind': 'choice', 'values': ['auto', 'fp32', 'bf16', 'int8']},
        'embed_engine': {'kind': 'choice', 'values': ['local', 'ray']},
        'complaint_threshold': {'kind': 'number', 'low': 0, 'high': 1},
        'weak_complaint_threshold': {'kind': 'number', 'low': 0, 'high': 1},
        'second_opinion_margin': {'kind': 'number', 'low': 0, 'high': 1},
        'problem_similarity': {'kind': 'number', 'low': 0.5, 'high': 1},
        'problem_tier': {'kind': 'choice', 'values': ['certain', 'likely', 'emerging']},
        'problem_voices': {'kind': 'whole number', 'low': 2, 'high': 100},
        'theme_similarity': {'kind': 'number', 'low': 0, 'high': 1},
        'theme_voices': {'kind': 'whole number', 'low': 2, 'high': 1000},
        'opinion_accuracy': {'kind': 'number', 'low': 0.5, 'high': 1, 'open': true},
        'judged_pairs': {'kind': 'whole number', 'low': 0, 'high': 10000},
        'problem_window_days': {'kind': 'whole number', 'low': 2, 'high': 366},
        'problem_memory_days': {'kind': 'whole number', 'low': 2, 'high': 3660},
        'alert_tier': {'kind': 'choice', 'values': ['certain', 'likely', 'emerging']},
        'alert_days': {'kind': 'whole number', 'low': 1, 'high': 30},
        'join_similarity': {'kind': 'number', 'low': 0, 'high': 1},
    }) -%}
{% endmacro %}
