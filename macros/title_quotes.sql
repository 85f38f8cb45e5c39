{#- The quotes of a label that its titles give, a list of structs as in silver.topic_titles. -#}
{% macro title_quotes(titles) -%}
    list_transform(
                {{ titles }},
                lambda each: {
                    'url_hash': each['url_hash'],
                    'quote': trim(left(each['quote'], 300)),
                    'supports_payment': false
                }
            )
{%- endmacro %}
