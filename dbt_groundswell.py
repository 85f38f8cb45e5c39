"""A plugin of dbt, which imports all modules with names that begin with dbt_ before it reads the project.

Without it, as in an installation of an earlier version, commands only take longer and say less.
"""

from contextlib import suppress

# In a checkout of an earlier commit that shares this installation, its own package is found, which may lack modules.
with suppress(ModuleNotFoundError):
    from groundswell.garbage import begin_reading

    begin_reading()

    from groundswell.artifacts import spare_unread
    from groundswell.contexts import spare_contexts
    from groundswell.dates import keep_date_parsers
    from groundswell.events import spare_debug_events
    from groundswell.interrupted import interrupt_in_one_line
    from groundswell.kept_parse import keep_for_every_day
    from groundswell.target import require_target
    from groundswell.templates import keep_templates
    from groundswell.unread import tell_unread

    interrupt_in_one_line()
    require_target()
    spare_unread()
    spare_contexts()
    spare_debug_events()
    keep_date_parsers()
    keep_for_every_day()
    keep_templates()
    tell_unread()
