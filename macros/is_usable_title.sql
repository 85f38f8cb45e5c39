{#-
    Whether a title can name a problem: it has at least 15 characters and two words, and neither a web address nor
    markup.
-#}
{% macro is_usable_title(title) -%}
    coalesce(
        length({{ title }}) >= 15
        and contains({{ title }}, ' ')
        and not regexp_matches({{ title }}, '(?i)https?:|www\.|[<>]'),
        false
    )
{%- endmacro %}
