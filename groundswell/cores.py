"""How many cores this process may use."""


def usable_cores() -> int:
    """The cores that the process may use, at least 1.

    A container or taskset may grant fewer than the machine has. LOKY_MAX_CPU_COUNT sets a lower number (joblib).
    """
    from joblib import cpu_count

    return int(cpu_count())
