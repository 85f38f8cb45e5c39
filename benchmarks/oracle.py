"""Measures what a language model adds to the grouping, with an oracle: a model that knows which reports are duplicates.

The reports are those of the benchmark of problems (eclipse_duplicates.tsv and others in ../*/data/labelled).
"""

import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.table import Table

from benchmarks.needles import TRACKER, check, hold_out
from benchmarks.problems import (
    MIN_VOICES,
    TIER,
    fitted_without,
    group_at_once,
    labelled,
    mean_bcubed,
    own_words,
    placing,
    read_trackers,
    table,
)
from groundswell.grouping.day import Settings
from groundswell.grouping.links import SAME
from groundswell.grouping.window import labels_of
from groundswell.llm.opinions import BATCH
from groundswell.pairs import REPORTS, candidates, chances
from groundswell.verdicts import Verdicts
from tests.support.language_model import Model, judging, settings
from tests.support.loopback import Loopback
from tests.support.models import load
from tests.support.project import DAY, Project, least_chance, pair_weights, project_vars
from training.pairs import Reports

unsure_pairs: Any = load("unsure_pairs")

# The calls to the oracle, and the shares of its verdicts that are wrong.
CALLS = (0, 5, 10, 15, 20, 25, 30, 40)
ERRORS = (0.0, 0.05, 0.1)
ACCURACY: float = project_vars()["opinion_accuracy"]
# The characters of a report by which the oracle knows it: fewer than a prompt shows.
KNOWN_BY = 300


def measure_oracle() -> Table:
    """Group reports of one day with the verdicts of an oracle, by the number of calls."""
    trackers = read_trackers()
    sets = {name: reports for name, reports in trackers.items() if name != "seamonkey"}
    if file := labelled("own_words.tsv"):
        sets["own words"] = own_words(file)
    made = table(
        f"With a language model that knows the groups: B-cubed F1, {BATCH} pairs a call",
        *("reports, wrong verdicts", "pairs", *(f"{calls} calls" for calls in CALLS), "one call adds"),
    )
    for name, reports in sets.items():
        weights = pair_weights() | {REPORTS: fitted_without(name, trackers)}
        grouping = Settings(MIN_VOICES, least_chance(TIER), weights)
        found = candidates(reports.posts)
        chance = chances(found.features, weights)
        asked = unsure_pairs.unsure_candidates(found, chance, len(reports.group), SAME)
        asked = asked[np.argsort(-chance[asked], kind="stable")]
        a, b = found.a[asked], found.b[asked]
        for error in ERRORS:
            is_wrong = np.random.default_rng(0).random(len(asked)) < error
            is_same = (reports.group[a] == reports.group[b]) ^ is_wrong
            shares = []
            for calls in CALLS:
                said = slice(0, calls * BATCH)
                verdicts = Verdicts(a[said], b[said], is_same[said], ACCURACY)
                problem = group_at_once(reports.posts, grouping, verdicts).problem
                shares.append(mean_bcubed(reports.group, labels_of(problem))[2])
            most = min(CALLS[-1], -(-len(asked) // BATCH))
            adds = (shares[-1] - shares[0]) / most
            made.add_row(f"{name}, {error:.0%}", f"{len(asked)}", *(f"{share:.3f}" for share in shares), f"{adds:.4f}")
    return made


def known_by(text: str) -> str:
    """The letters of the first characters of a text, by which the oracle knows a report."""
    return "".join(letter for letter in text[:KNOWN_BY].lower() if letter.isalnum())


def knowing(group: dict[str, int]) -> Model:
    """A language model that knows the group of each text."""
    return judging(lambda one, other: group[known_by(one)] == group[known_by(other)])


class Building(NamedTuple):
    """Reports that are built as one day, with vars, and whether the weights are fitted without TRACKER."""

    reports: Reports
    variables: str
    is_held_out: bool


def measure_build() -> Table:
    """Build a day of reports with the project's commands, without a model and with the oracle on a loopback server."""
    made = table(
        "Reports in a real build of one day", *("reports, model", "calls", "F1", "lone pulled in", "placed", "problems")
    )
    trackers = read_trackers()
    sets = {}
    if TRACKER in trackers:
        sets[TRACKER] = Building(trackers[TRACKER], ", complaint_threshold: 0", is_held_out=True)
    if file := labelled("own_words.tsv"):
        # The built-in score says which of them complain.
        sets["own words"] = Building(own_words(file), "", is_held_out=False)
    for name, building in sets.items():
        with tempfile.TemporaryDirectory() as folder, Loopback() as loopback:
            project = Project(Path(folder) / "oracle.duckdb", {"AUTHOR_SALT": "oracle"})
            groups = collect(project, building.reports, Path(folder) / "oracle.jsonl")
            if building.is_held_out:
                hold_out(project, trackers)
            arguments = ("--select", "+problem_members", *(("--exclude", "pair_weights") * building.is_held_out))
            for model in ("extractive", "openai/oracle"):
                if model != "extractive":
                    texts = project.query(
                        "select url, text from silver.texts inner join bronze.raw_items using (url_hash)"
                    )
                    loopback.answer = knowing({known_by(text): groups[url] for url, text in texts})
                environment = settings(loopback, model)
                check(project.build(DAY, *arguments, variables=building.variables, data_tests=False, **environment))
                rows = project.query(
                    "select url, coalesce(problem_id, '') from silver.documents"
                    " inner join bronze.raw_items using (url_hash)"
                    " left join silver.problem_members using (url_hash) order by url_hash"
                )
                truth = np.array([groups[url] for url, _ in rows])
                problems = np.array([problem for _, problem in rows])
                found = placing(truth, labels_of(problems.tolist()), problems != "")
                made.add_row(f"{name}, {model}", f"{len(loopback.requests)}", *found)
    return made


def collect(project: Project, reports: Reports, file: Path) -> dict[str, int]:
    """Import reports as posts of DAY, each by an author of its own; returns the group of each url."""
    groups = {
        f"https://github.com/oracle/oracle/issues/{number}": group
        for number, group in enumerate(reports.group.tolist())
    }
    with file.open("w") as opened:
        for number, (url, title, text) in enumerate(
            zip(groups, reports.posts.titles, reports.posts.texts, strict=True)
        ):
            post = {
                "source": "github",
                "url": url,
                "title": title,
                "body": text.removeprefix(title).lstrip(". "),
                "author": f"reporter {number}",
                "created_at": f"{DAY}T{number // 60:02}:{number % 60:02}:00Z",
            }
            opened.write(json.dumps(post) + "\n")
    check(project.ingest("--file", str(file)))
    return groups


MEASURES = (measure_oracle, measure_build)
