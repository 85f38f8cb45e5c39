"""Prints how many mutants of each file the tests kill: `python -m tests.support.mutants`, after a run of mutmut."""

import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

# A mutant that ends no test in time, or that ends the interpreter, is noticed as well.
KILLED = ("killed", "timeout", "segfault")
# mutmut leaves out what `make mutants` does not ask for.
LEFT_OUT = ("not checked",)


def outcomes() -> dict[str, Counter[str]]:
    """How many mutants of each file have each outcome, as mutmut names it."""
    mutmut = Path(sys.executable).with_name("mutmut")
    listed = subprocess.run([mutmut, "results", "--all", "true"], capture_output=True, check=True, text=True).stdout
    found = defaultdict[str, Counter[str]](Counter)
    for line in listed.splitlines():
        name, separator, outcome = line.strip().partition(": ")
        # The name of a mutant is that of the module, of the function and a number.
        if separator and outcome not in LEFT_OUT:
            found[f"{name.rpartition('.')[0].replace('.', '/')}.py"][outcome] += 1
    return found


def table_of(found: dict[str, Counter[str]]) -> Table:
    """A row for each file."""
    table = Table("file", *(heading for heading in ("mutants", "killed", "share")))
    for file, counts in sorted(found.items()):
        mutants, killed = counts.total(), sum(counts[outcome] for outcome in KILLED)
        table.add_row(file, f"{mutants}", f"{killed}", f"{killed / mutants:.1%}")
    return table


if __name__ == "__main__":
    Console().print(table_of(outcomes()))
