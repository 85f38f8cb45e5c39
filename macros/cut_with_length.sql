{#- A text of at most `length` characters; what is longer ends in a mark that says how long it was. -#}
{% macro cut_with_length(text, length) -%}
    case
        when length({{ text }}) > {{ length }}
            then
                left({{ text }}, {{ length - 40 }})
                || format(' … [{:,} characters in all]', length({{ text }}))
        else {{ text }}
    end
{%- endmacro %}
