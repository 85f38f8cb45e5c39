"""Spares Python's garbage collector work that finds nothing, in every command of dbt.

What is there before dbt reads the project stays until the command ends, and so do nearly all objects that are made of
the project. The collector looked through them again and again: a fifth of the CPU time of `dbt ls`.
"""

import gc

USUAL = gc.get_threshold()
WHILE_READING = (20_000, 20, 20)


def begin_reading() -> None:
    """Call it before dbt reads the project: what is there is left alone, and the collector comes less often."""
    gc.freeze()
    gc.set_threshold(*WHILE_READING)


def end_reading() -> None:
    """Call it when the project is read: what was made of it is left alone as well, and later garbage found as usual."""
    if gc.get_threshold() == WHILE_READING:
        gc.freeze()
        gc.set_threshold(*USUAL)
