{#-
    What can be wrong with the label of an issue or a problem: a list, with null for what is right. `title` is the column
    of the title; the CTE categories must be there.
-#}
{% macro label_faults(title) -%}
    [
            if(
                trim({{ title }}) = '' or length({{ title }}) > 120,
                'the title is blank or too long',
                null
            ),
            if(trim(description) = '', 'the description is blank', null),
            if(
                category not in (select categories.category from categories)
                or impact_level not in ('low', 'medium', 'high'),
                'a value is none of those that the board knows',
                null
            )
        ]
{%- endmacro %}
