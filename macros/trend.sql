{#-
    The trend of a group. `counts` is the CTE with first_seen, and with recent_voices and earlier_voices, the voices in the
    two halves of the window. `gone` is a condition: the group is not active. CTE built of macro window_halves is joined.
-#}
{% macro trend(counts, gone) -%}
    case
            when {{ gone }} then 'gone'
            when {{ counts }}.first_seen > built.middle_date then 'new'
            when built.earlier_days = 0 then 'unknown'
            when
                {{ counts }}.recent_voices - {{ counts }}.earlier_voices >= 2
                and {{ counts }}.recent_voices / greatest(built.recent_days, 1)
                > 1.5 * {{ counts }}.earlier_voices / greatest(built.earlier_days, 1)
                then 'growing'
            when
                {{ counts }}.earlier_voices - {{ counts }}.recent_voices >= 2
                and {{ counts }}.earlier_voices / greatest(built.earlier_days, 1)
                > 1.5 * {{ counts }}.recent_voices / greatest(built.recent_days, 1)
                then 'fading'
            else 'steady'
        end
{%- endmacro %}
