"""models/silver/plain_texts.py, redactions.py and duplicates.py: posts without markup, secrets and echoes."""

import csv
import time
from datetime import date
from typing import Any

import pytest

from tests.support.models import load
from tests.support.project import ROOT

plain_texts: Any = load("plain_texts")
redactions: Any = load("redactions")
duplicates: Any = load("duplicates")

with (ROOT / "seeds" / "form_questions.csv").open() as seed:
    QUESTIONS = {row["question"] for row in csv.DictReader(seed)}

FENCE = "```"
ERROR = "ValueError: could not convert string to float: 'abc'"
PYTHON_TRACE = (
    """Traceback (most recent call last):
  File "/srv/app.py", line 7, in <module>
    main()
"""
    + ERROR
    + "\n"
)
JAVA_TRACE = """Exception in thread "main" java.lang.NullPointerException: name is null
    at com.acme.Main.run(Main.java:17)
    at com.acme.Main.main(Main.java:5)
    ... 12 more
"""


def body(source: str, text: str) -> str:
    """The plain body of a post."""
    plain: str = plain_texts.plain_body(source, text, QUESTIONS)
    return plain


@pytest.mark.parametrize(
    ("source", "text", "plain"),
    [
        ("github", "**Bold** and _it_ and `code` and [a link](https://x.example/y)", "Bold and it and code and a link"),
        ("github", "One\nparagraph\n\n- first\n- second", "One paragraph\nfirst\nsecond"),
        ("github", "See https://www.youtube.com/watch?v=1 please", "See youtube.com please"),
        ("github", "![image](https://x.example/1.png)\n\nIt is blank", "It is blank"),
        ("github", "<!-- fill this in -->It broke", "It broke"),
        ("github", "### Describe the bug\n\nIt broke", "It broke"),
        ("github", "### Export to PDF\n\nIt broke", "Export to PDF\nIt broke"),
        ("github", "It broke\n\n### Environment\n\n- OS: Windows 11\n- Version: 1.2.3", "It broke"),
        ("github", "- [x] I have searched existing issues\n- [ ] I will help\n\nIt broke", "It broke"),
        ("github", "|Item|Value|\n|---|---|\n|CPU|x|\n\nIt broke", "Item\nValue\nIt broke"),
        ("github", "> quoted\n> twice\n\nI disagree", "I disagree"),
        ("github", "On Mon, 3 Nov 2026, Ann wrote:\n\n> old\n\nI disagree", "I disagree"),
        ("github", f"Fails:\n\n{FENCE}python\nx = 1\n{FENCE}", "Fails:"),
        ("github", f"Fails:\n\n{FENCE}\n{PYTHON_TRACE}{FENCE}", f"Fails:\n{ERROR}"),
        ("github", f"Fails:\n{PYTHON_TRACE}", f"Fails: {ERROR}"),
        ("github", "<details><summary>Logs</summary>\n\nnoise\n\n</details>\n\nIt broke", "It broke"),
        ("github", "a <b>tag</b> & an &amp; and Vec<String>", "a tag & an & and Vec<string>"),
        ("github", "<script>alert(1)</script>It broke <img src=x onerror=alert(1)>", "It broke"),
        ("reddit", "It&amp;#39;s 5 &gt; 4 and x &lt;b&gt;", "It's 5 > 4 and x <b>"),
        ("reddit", "&gt; quoted\n\nmine", "mine"),
        ("reddit", "zero\u200bwidth and \u202eturned", "zerowidth and turned"),
        ("hackernews", "It&#x27;s <i>slow</i>.<p>See <a href='https:&#x2F;&#x2F;x.y'>here</a>", "It's slow.\nSee here"),
        ("hackernews", "Look:<p><pre><code>  x = 1\n  y = 2</code></pre>", "Look:"),
        ("stackoverflow", "<p>Why?</p>\n\n<pre><code>int x;</code></pre>\n\n<p>Thanks</p>", "Why?"),
        ("stackoverflow", "<p>a &lt;b&gt; tag</p><style>p {}</style>", "a <b> tag"),
        ("stackoverflow", f"<p>Dies:</p><pre><code>{JAVA_TRACE}</code></pre>", f"Dies:\n{JAVA_TRACE.splitlines()[0]}"),
        ("stackoverflow", "# Imported\n\nas *markdown*", "Imported\nas markdown"),
        ("github", "caf\u0065\u0301", "café"),
        ("github", "", ""),
        ("github", "<br>", ""),
    ],
)  # fmt: skip
def test_bodies(source: str, text: str, plain: str) -> None:
    assert body(source, text) == plain


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Ask HN: It&#x27;s broken?", "It's broken?"),
        ("Show HN: A <b> tag", "A <b> tag"),
        ("[Reader] `raw_ops` fails", "[Reader] raw_ops fails"),
        ("<img src=x onerror=alert(1)> Login", "Login"),
        ("  two\n lines ", "two lines"),
        ("<br>", ""),
        ("---", ""),
        ("", ""),
        ("🔥", "fire"),
        ("🤖 Domains button", "Domains button"),
    ],
)
def test_titles(title: str, plain: str) -> None:
    assert plain_texts.plain_title(title) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        # Visual Studio Code's form, as many send it off.
        (
            "<!-- Do not delete this -->\nDoes this issue occur when all extensions are disabled?: Yes/No\n\n"
            "- VS Code Version: \n- OS Version: \n\nSteps to Reproduce:\n\n1. \n2. \n",
            "",
        ),
        # A crash reporter's ticket: its number says nothing.
        (
            f"Sentry Issue: [APP-B72](https://x.sentry.io/issues/1)\n\n{FENCE}\n{JAVA_TRACE}{FENCE}",
            JAVA_TRACE.splitlines()[0],
        ),
        # All of the form is folded.
        (
            "<details><summary>Click to expand!</summary>\n\n### Issue Type\n\nBug\n\n### Source\n\nbinary\n\n"
            "### Current Behaviour?\n\nThe kernel dies when I call it twice.\n\n</details>",
            "The kernel dies when I call it twice.",
        ),
        ("No description provided.\n\n        All reactions\n", ""),
        ("https://x.example/y", "x.example"),
    ],
)
def test_what_nobody_wrote_is_no_text(text: str, plain: str) -> None:
    assert body("github", text) == plain


def test_what_is_nothing_but_code_or_emoji_has_a_text_all_the_same() -> None:
    assert body("github", f"{FENCE}\nint main() {{\n  return 0;\n}}\n{FENCE}") == "int main() {\nreturn 0;"
    assert body("github", "> only a quote") == "only a quote"
    assert body("reddit", "🔥🔥 🙃") == "fire fire upside-down face"


@pytest.mark.parametrize(
    "hostile",
    [
        ">" * 10_000 + " deep",
        "[" * 10_000 + "x" + "]" * 10_000,
        "<div>" * 10_000 + "deep",
        "<table>" * 3_000 + "deep",
        "* " * 10_000,
        "`" * 9_999,
        "a" * 1_000_000,
        "at " * 300_000,
        "On " + "x" * 1_000_000 + " wrote:",
        "x@" * 500_000,
        "-----BEGIN PRIVATE KEY-----" * 30_000,
        "password=" * 100_000,
        "&#64;" * 200_000,
        "1-" * 500_000,
        "eyJ" * 300_000,
        "http://" * 100_000,
        "\x00\x01\x02 text",
        "<script>" * 20_000,
        "1.1.1.1." * 100_000,
        "sk-" + "-" * 1_000_000,
    ],
)
@pytest.mark.parametrize("source", ["github", "hackernews"])
def test_absurd_bodies_take_no_time(source: str, hostile: str) -> None:
    row = {"url_hash": "u", "source": source, "title": hostile, "body": hostile, "collection_date": date(2026, 11, 20)}
    started = time.process_time()
    plain = plain_texts.plain_text(row, QUESTIONS)
    redacted = redactions.redact_post(row | {"plain_title": plain["title"], "plain_body": plain["body"]})
    # Far more than any of them needs, far less than a pattern that backtracks.
    assert time.process_time() - started < 20
    assert len(plain["body"]) <= plain_texts.KEPT
    assert redacted["redacted_body"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail ann.lee+x@example.co.uk now", "mail [email] now"),
        ("ann&#64;example.com", "[email]"),
        ("ann [at] example [dot] com", "[email]"),
        ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
        ("npm i @scope/pkg pkg@1.2.3 icon@2x.png", "npm i @scope/pkg pkg@1.2.3 icon@2x.png"),
        ("key ghp_" + "a1B2" * 9, "key [secret]"),
        ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
        ("sk-ant-api03-" + "a1B2" * 10, "[secret]"),
        ("sk-" + "proj-a1B2" * 5, "[secret]"),
        ("hf_" + "aB3d" * 9, "[secret]"),
        ("gsk_" + "aB3d" * 13, "[secret]"),
        ("xoxb-123456789012-abcdefghij", "[secret]"),
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [secret]"),
        ("password = 'hunter2!x'", "password = '[secret]'"),
        ("postgres://bob:s3cret@db.example.com/x", "postgres://bob:[secret]@db.example.com/x"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[secret]"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_9", "token [secret]"),
        ("password: your-password", "password: your-password"),
        ("password = os.environ['PASSWORD']", "password = os.environ['PASSWORD']"),
        ("token_count = 4096, max_tokens: 1024", "token_count = 4096, max_tokens: 1024"),
        ("call +49 30 901820 today", "call [phone] today"),
        ("(415) 555-2671 or 415-555-2671", "[phone] or [phone]"),
        ("phone: 030 9018 2000", "phone: [phone]"),
        ("192.168.100.1:8080 v1.2.3 2026-11-20 12:00:00", "192.168.100.1:8080 v1.2.3 2026-11-20 12:00:00"),
        ("order 4155552671, build 20261120.1", "order 4155552671, build 20261120.1"),
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"),
        ("sk-learn and sklearn-contrib-project", "sk-learn and sklearn-contrib-project"),
    ],
)
def test_redaction(text: str, redacted: str) -> None:
    assert redactions.redact(text).text == redacted
    # What is replaced once stays so, and counts no more.
    assert redactions.redact(redacted).counts == (0, 0, 0)


def test_what_markup_hides_is_hidden_in_the_evidence_too() -> None:
    original = "Write to ann<b></b>@<i>example.com</i>, I <code>wait</code>."
    row = {"url_hash": "u", "source": "github", "title": None, "body": original, "collection_date": date(2026, 11, 20)}
    plain = plain_texts.plain_text(row, QUESTIONS)
    redacted = redactions.redact_post(row | {"plain_title": plain["title"], "plain_body": plain["body"]})
    assert redacted["body"] == redacted["redacted_body"] == "Write to [email], I wait."
    assert redacted["redacted_title"] is None
    assert redacted["redacted_emails"] == 1


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The build fails on Windows since the last update, and nobody knows why it does.", "en"),
        ("Die Rechnung wird abgelehnt, weil die Umsatzsteuer um einen Cent abweicht.", "de"),
        ("L'application perd la signature quand le téléphone n'a pas de réseau.", "fr"),
        ("カレンダーの招待が一時間ずれる。困っています。どうすればいいですか。", "ja"),
        ("GitHub Copilot vs Claude Code", None),
        ("TypeError", None),
        ("", None),
    ],
)
def test_language(text: str, language: str | None) -> None:
    assert plain_texts.language_of(text) == language


LONG = "the export to pdf loses every second page when the printer is set to duplex and the paper is short"


@pytest.mark.parametrize(
    ("first", "second", "repeats"),
    [
        (LONG, LONG, True),
        (LONG, LONG.upper() + "!!", True),
        (LONG + " " + LONG.replace("e", "o"), LONG + " " + LONG.replace("e", "o") + " thanks", True),
        (LONG, LONG.replace("export", "import").replace("printer", "scanner").replace("short", "long"), False),
        ("Login fails on my phone", "login fails, on my phone?", True),
        ("Login fails on my phone", "Login fails on my laptop", False),
        ("Question", "Question", False),
        ("", "", False),
    ],
)
def test_duplicates(first: str, second: str, repeats: bool) -> None:
    found = list(duplicates.repetitions([("a", first), ("b", second)]))
    assert [(post, original) for post, original, _ in found] == ([("b", "a")] if repeats else [])
    assert all(similarity >= duplicates.RESEMBLANCE for _, _, similarity in found)


def test_a_post_repeats_the_most_similar_original() -> None:
    words = [f"word{number}" for number in range(100)]
    posts = [
        ("a", " ".join(words)),
        ("b", " ".join(words[:50] + ["other"] * 20 + words[50:])),
        ("c", " ".join(words[:50] + ["other"] * 20 + words[50:] + ["end"])),
        ("d", " ".join(["begin", *words])),
    ]
    found = {post: original for post, original, _ in duplicates.repetitions(posts)}
    assert found["d"] == "a"
    assert found["c"] in ("a", "b")
    assert set(found.values()) & set(found) == set()
    assert list(duplicates.repetitions(posts)) == list(duplicates.repetitions(posts))


def test_ten_thousand_echoes_are_one_voice() -> None:
    echoes = [(f"u{number:05}", f"{LONG} {LONG[::-1]} number {number}") for number in range(10_000)]
    found = list(duplicates.repetitions(echoes))
    # Locality-sensitive hashing misses a pair now and then.
    assert len(found) >= 9_990
    assert sum(original == "u00000" for _, original, _ in found) >= 9_980
