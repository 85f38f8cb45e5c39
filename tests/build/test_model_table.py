"""`make models`: what the answers of a language model are worth, as a table."""

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.models import VARS, ask, few_questions, measure_answers, without_details
from tests.support import language_model
from tests.support.language_model import discerning, honest, invented_quotes, opinions_of, settings
from tests.support.loopback import Answer, Loopback, Request
from tests.support.project import ROOT, Project


def sometimes_wrong(request: Request) -> Answer:
    """An honest model that is always wrong about cluster 1, and once about cluster 2."""
    if opinions_of(request):
        return discerning(request)
    if language_model.pairs_of(request):
        return honest(request)
    prompt = language_model.read(request)
    is_wrong = prompt.cluster == 1 or (prompt.cluster == 2 and not prompt.sent_back)
    return invented_quotes(request) if is_wrong else honest(request)


def rows_of(tables: str) -> Iterator[list[str]]:
    """The cells of the printed lines; two spaces and more are between two cells."""
    for line in tables.splitlines():
        yield [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_the_table_counts_the_answers_that_pass(
    built: Project, loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = built.copy_to(tmp_path)
    few_questions(project)
    loopback.answer = sometimes_wrong
    for name, value in settings(loopback).items():
        monkeypatch.setenv(name, value)
    ask(project, "openai/loopback", VARS)
    assert "sk-s3cret" in loopback.requests[0].headers["authorization"]

    printed = io.StringIO()
    Console(file=printed, width=140).print(*measure_answers(project))
    rows = list(rows_of(printed.getvalue()))
    numbers = {row[1]: row[2:] for row in rows if row and row[0] == "openai/loopback"}
    assert set(numbers) == {"topics", "problems", "opinions", "pairs"}
    assert numbers["topics"][:6] == ["6", "4 (67%)", "1 (17%)", "1 (17%)", "100", "20"]
    assert numbers["problems"][:4] == numbers["topics"][:4]
    assert numbers["opinions"][:4] == ["1", "1 (100%)", "0 (0%)", "0 (0%)"]
    # Two questions each about topics and about problems, three wrong answers among four.
    reasons = [row for row in rows if row and row[0].startswith("quotes: N posts are quoted")]
    assert [row[1:] for row in reasons] == [["3", "3"]]
    [(asked,)] = project.query("select count(*) from bronze.llm_calls")
    assert asked == len(loopback.requests)


@pytest.mark.parametrize("model", ["", " ", "extractive"])
def test_without_a_model_one_line_says_what_to_set(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MODEL", model)
    command = [sys.executable, "-m", "benchmarks.models"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert not finished.stdout
    [line] = finished.stderr.splitlines()
    assert line.startswith("LLM_MODEL names no language model: set it to provider/model")


def test_errors_that_differ_in_words_and_numbers_have_one_reason() -> None:
    errors = [
        "opinions: number 3 has the id 'ab1', its post has 'cd2'",
        "opinions: number 14 has the id 'x', its post has 'y'",
    ]
    assert len(set(map(without_details, errors))) == 1
    assert without_details("no answer within 60 s") == "no answer within N s"
