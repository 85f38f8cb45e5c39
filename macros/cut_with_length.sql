{#- A text of at most `length` characters. A longer text is cut and ends with a mark that says its full length. -#}
{% macro cut_with_length(text, length) -%}
    case
        when length({{ text }}) > {{ length }}
            then
                left({{ text }}, {{ length - 40 }})
                || format(' … [{:,} characters in all]', length({{ text }}))
        else {{ text }}
    end
{%- endmacro %}
