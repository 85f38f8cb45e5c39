"""A real language model: llama.cpp's server with SmolLM2-135M on this machine, asked by the real LiteLLM.

Its answers are bad. The tests are about what becomes of them: each question ends labelled, failed with its reason, or
waiting, and the counts add up. The model reads 40 to 60 tokens a second on one core, so questions are few and short.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import httpx
import pytest
from pydantic import BaseModel, ConfigDict, Field

from groundswell.llm.budget import Budget
from groundswell.llm.calls import Calls, Question
from groundswell.llm.errors import AnswerError
from groundswell.llm.ledger import Row
from groundswell.llm.model import Model
from groundswell.llm.pace import Pace
from groundswell.local import missing
from tests.support.project import DAY, ROOT, Project

pytestmark = [pytest.mark.local, pytest.mark.skipif(bool(missing()), reason=missing())]

CONTEXT = 1024
QUESTION = "Post 1: my app crashes. Post 2: the app crashes on start. Is it a bug? Number 7."
STORY = "Tell the longest story that you know about a fox and its seven brothers."


class Verdict(BaseModel):
    """The schema of an answer."""

    model_config = ConfigDict(extra="ignore", strict=True)

    number: int
    kind: Literal["bug", "other"]
    is_sure: bool
    # Without a length, the model writes numbers on and on.
    posts: Annotated[list[int], Field(max_length=3)]


class Story(BaseModel):
    """The schema of an answer that may be as long as the model likes."""

    text: str


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the server, started with the command that a user types."""
    options = ("--port", "0", "--slots", "2", "--context", str(CONTEXT), "--threads", "1")
    command = [sys.executable, "-m", "groundswell.local", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        [address] = re.findall(r"http://127\.0\.0\.1:\d+", running.stdout.readline())
        yield address
        # Where the tests run in the background, commands may ignore SIGTERM.
        running.kill()


def calls_of(server: str, answer: type[BaseModel], timeout: float = 300, answer_tokens: int = 100) -> Calls:
    """Calls of the model; `outcomes` holds the rows at the end."""
    models = [Model("openai/local", f"{server}/v1", timeout, answer_tokens, answer)]
    return Calls(models, Budget(None, None), Pace(8, timeout), lambda _: None)


def ask(calls: Calls, *texts: str) -> list[Row]:
    """Ask questions with these texts; returns the rows in the order of the texts."""

    def check(content: str) -> Row:
        try:
            # The whole text must be the object.
            Verdict.model_validate_json(content)
        except ValueError as error:
            raise AnswerError(str(error)) from None
        return {"status": "labelled"}

    about = [{"place": place} for place in range(len(texts))]
    questions = [
        Question([{"role": "user", "content": text}], each, check) for text, each in zip(texts, about, strict=True)
    ]
    calls.put(questions, "questions", "an answer")
    return sorted(calls.outcomes, key=lambda row: row["place"])


def busy_slots(server: str) -> int:
    """How many slots of the server work on an answer."""
    return sum(slot["is_processing"] for slot in httpx.get(f"{server}/slots", timeout=60).json())


def tokens_made(server: str) -> int:
    """How many tokens of answers the server has made since its start, by its own count."""
    metrics = httpx.get(f"{server}/metrics", timeout=60).text
    [count] = re.findall(r"^llamacpp:tokens_predicted_total (\d+)", metrics, re.MULTILINE)
    return int(count)


def refusal(*options: str) -> str:
    """What a server says on stderr that can not start."""
    command = [sys.executable, "-m", "groundswell.local", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("nothing.gguf", "nothing.gguf does not exist"),
        ("docs", "docs is a folder: name a GGUF file in it"),
        ("README.md", "README.md is not a GGUF file, which llama.cpp needs"),
    ],
)
def test_a_file_that_is_no_model_is_one_line(file: str, reason: str) -> None:
    assert refusal(file) == f"{reason}\n"


def test_a_port_in_use_is_told_on_a_line_of_its_own(server: str) -> None:
    said = refusal("--port", server.rpartition(":")[2])
    # llama.cpp writes its own lines from another thread, before and after.
    assert "\nllama.cpp's server did not start with" in said


def test_the_server_enforces_the_schema(server: str) -> None:
    calls = calls_of(server, Verdict)
    rows = ask(calls, *(f"{QUESTION} Or {other}?" for other in (3, 4, 5)))
    assert [row["status"] for row in rows] == ["labelled"] * 3, rows
    assert calls.models[0].accepted == {"JSON schema with lengths"}
    # Left alone, the model writes something else.
    said = httpx.post(
        f"{server}/v1/chat/completions",
        json={"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 20, "temperature": 0},
        timeout=60,
    ).json()
    assert not said["choices"][0]["message"]["content"].startswith("{")


def test_a_question_beyond_the_context_fails_alone(server: str) -> None:
    calls = calls_of(server, Verdict)
    first, long, last = ask(calls, QUESTION, "crash " * CONTEXT, QUESTION)
    assert first["status"] == last["status"] == "labelled"
    assert long["status"] == "unanswered"
    assert re.match(r"the question is too long for the model, with about 1,\d{3} tokens: ", long["error"])
    assert f"({CONTEXT} tokens)" in long["error"]
    # Nobody is paid for it, and the others keep the schema.
    assert (long["tokens_in"], long["tokens_out"]) == (0, 0)
    assert calls.models[0].accepted == {"JSON schema with lengths"}
    assert not calls.models[0].refusals


def test_an_answer_that_is_cut_off_says_so(server: str) -> None:
    row, *_ = ask(calls_of(server, Story, answer_tokens=20), STORY)
    assert row["status"] == "rejected"
    assert row["error"].startswith("the answer is cut off")
    assert row["tokens_out"] == 20


def test_a_call_that_times_out_frees_its_slot(server: str) -> None:
    # On a busy machine the server once made the whole answer (2026-11-29). So three calls are tried.
    for _ in range(3):
        made = tokens_made(server)
        row, *_ = ask(calls_of(server, Story, timeout=1, answer_tokens=900), STORY)
        assert row["status"] == "unanswered"
        assert row["error"] == "no answer within 1 s: raise var llm_timeout_seconds"
        # It may have to be paid for.
        assert row["tokens_out"] == 900
        while busy_slots(server):
            time.sleep(0.1)
        if tokens_made(server) - made < 900:
            break
    else:
        pytest.fail("three answers were made to their end after their calls had timed out")
    [row] = ask(calls_of(server, Verdict), QUESTION)
    assert row["status"] == "labelled"


def build(project: Project, server: str, *models: str, variables: str) -> None:
    """Build models of the sample day, with answers of at most 120 tokens and all the time that they take."""
    finished = project.build(
        DAY,
        "--select",
        *models,
        variables=f", llm_timeout_seconds: 3600, llm_answer_tokens: 120, {variables}",
        data_tests=False,
        LLM_MODEL="openai/local",
        LLM_BASE_URL=f"{server}/v1",
    )
    assert finished.status == 0, finished.output


def test_every_question_of_a_build_ends_and_the_counts_add_up(server: str, built: Project, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    project.query("delete from gold.problem_label_attempts")
    # The longest question is beyond the context. The two shortest are not, and the budget has room for one of them.
    project.query(
        """
        delete from gold.problem_requests where problem_id not in (
            (select problem_id from gold.problem_requests order by length(prompt) desc, problem_id limit 1)
            union all
            (select problem_id from gold.problem_requests order by length(prompt), problem_id limit 2)
        )
        """
    )
    made = tokens_made(server)
    build(project, server, "problem_label_attempts", "problem_labels", variables="llm_budget_tokens: 1900")
    ends = project.query("select status, attempts, coalesce(error, '') from gold.problem_labels order by error")
    assert len(ends) == 3
    assert {status for status, *_ in ends} <= {"labelled", "mixed", "failed", "waiting"}
    for status, attempts, error in ends:
        assert (attempts > 0) == (status != "waiting")
        assert bool(error) == (status in ("failed", "mixed"))
    assert [status for status, *_ in ends].count("waiting") == 1
    assert [error for *_, error in ends if "is too long for the model" in error]

    # Two posts are nearer to the threshold than the margin; they share a question with two control posts.
    opinions = ("opinion_requests", "opinion_attempts", "opinions")
    build(project, server, *opinions, variables="second_opinion_margin: 0.006")
    asked = project.query("select status, error, content_hashes from silver.opinion_attempts order by attempted_at")
    for status, error, posts in asked:
        assert len(posts) == 2
        assert (status, bool(error)) in {("answered", False), ("rejected", True)}
    [(opinions_given,)] = project.query("select count(*) from silver.opinions")
    assert opinions_given == 2 * [status for status, *_ in asked].count("answered")

    # The ledger, the attempts and the server count alike.
    attempts = """
        select attempt_id, status, tokens_in, tokens_out from gold.problem_label_attempts
        union all
        select attempt_id, status, tokens_in, tokens_out from silver.opinion_attempts
    """
    rows = project.query(f"from ({attempts}) order by attempt_id")
    calls = "select attempt_id, status, tokens_in, tokens_out from bronze.llm_calls order by attempt_id"
    assert project.query(calls) == rows
    assert sum(tokens_out for *_, tokens_out in rows) == tokens_made(server) - made
