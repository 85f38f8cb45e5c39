"""models/silver/plain_texts.py, redactions.py and duplicates.py: posts without markup, secrets and echoes."""

import csv
import re
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import psutil
import pytest
from cmarkgfm import cmark
from cmarkgfm.cmark import Options
from hypothesis import example, given, settings
from hypothesis import strategies as st

from groundswell.cleaning import markup
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
        ("github", "|Item|Value|\n|---|---|\n|CPU|x|\n\nIt broke", "It broke"),
        ("github", "> quoted\n> twice\n\nI disagree", "I disagree"),
        ("github", "On Mon, 3 Nov 2026, Ann wrote:\n\n> old\n\nI disagree", "I disagree"),
        ("github", f"Fails:\n\n{FENCE}python\nx = 1\n{FENCE}", "Fails:"),
        ("github", f"Fails:\n\n{FENCE}\n{PYTHON_TRACE}{FENCE}", f"Fails:\n{ERROR}"),
        ("github", f"Fails:\n{PYTHON_TRACE}", f"Fails: {ERROR}"),
        ("github", "<details><summary>Logs</summary>\n\nnoise\n\n</details>\n\nIt broke", "It broke"),
        ("github", "a <b>tag</b> & an &amp; and Vec<String>", "a tag & an & and Vec<string>"),
        ("github", "<script>alert(1)</script>It broke <img src=x onerror=alert(1)>", "It broke"),
        ("reddit", "It&amp;#39;s 5 &gt; 4 and x &lt;b&gt;", "It's 5 > 4 and x <b>"),
        ("reddit", "&gt; quoted\n\nnot mine", "not mine"),
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
        ("How do I fix this? [duplicate]", "How do I fix this?"),
        ("[closed] beta is closed", "[closed] beta is closed"),
        ("[deleted by user]", ""),
        ("🤖 Domains button", "Domains button"),
    ],
)
def test_titles(title: str, plain: str) -> None:
    assert plain_texts.plain_title(title) == plain


@pytest.mark.skipif(not markup.FREE, reason="this system hides the functions of cmarkgfm that free memory")
def test_rendering_keeps_no_memory() -> None:
    text = "A sentence with *emphasis*, ~~errors~~ and `code`.\n\n" * 25
    expected = cmark.markdown_to_html_with_extensions(text, Options.CMARK_OPT_UNSAFE, markup.EXTENSIONS)
    process = psutil.Process()
    before = process.memory_info().rss
    for _ in range(2_000):
        assert markup.from_markdown(text) == expected
    # cmarkgfm's function keeps 70 MB.
    assert process.memory_info().rss - before < 20_000_000


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
        ("[ Removed by Reddit on account of violating the [content policy](/help/contentpolicy). ]", ""),
    ],
)
def test_what_nobody_wrote_is_no_text(text: str, plain: str) -> None:
    assert body("github", text) == plain


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # Sentences that begin as lines of logs, traces, mails and fields of forms do.
        ("reddit", "WARNING: Stripe froze my account and kept 4,000 dollars without any notice"),
        ("stackoverflow", "<p>WARNING: This is an exploit. Do not execute this code.</p>"),
        ("reddit", "The worst platform: I lost 3 months of sales data and support closed my ticket"),
        ("reddit", "My device: dead after the update"),
        ("reddit", "I hate this OS: it deletes my files every 2 weeks"),
        ("github", "The new version: export loses every second page, 2 of 3 customers complain"),
        ("github", "Python: the process hangs at 100% CPU after fork"),
        ("github", "GPU: not used at all although CUDA 12 is installed"),
        ("reddit", "Every browser: login loop after 2FA"),
        ("reddit", "at checkout the page hangs for ever (again)"),
        ("reddit", "On Monday I asked support for a refund and this is what their bot wrote:"),
        ("reddit", "I/O: my disk is slow since the update"),
        ("reddit", "... 12 more people in my team have the same"),
        ("github", "created by our team, the report breaks every week"),
        ("reddit", "--- End of rant"),
        ("hackernews", "Am Montag habe ich dem Support geschrieben und das kam zurück:"),
        # What forms ask on GitHub, people tell elsewhere.
        ("hackernews", "I read over 40 books"),
        ("stackoverflow", "<p>this is my spring version</p>"),
        ("github", "It happens in every version"),
    ],
)
def test_sentences_stay(source: str, text: str) -> None:
    assert body(source, text) == re.sub("<.*?>", "", text)


@pytest.mark.parametrize(
    "line",
    [
        "OS: Windows 11", "Browser [e.g. chrome]: Chrome on Windows 10", "Extension version: 0.31.3",
        "WARNING: Skipping /usr/lib/python3 due to invalid entry", "INFO: builder.compile(x) is called by the runner",
        "at com.acme.Main.run(Main.java:17)", "at Object.<anonymous> (/srv/app.js:3:9)",
        "2026-11-20 08:00:00 The server is not able to connect", "created by net/http.(*Server).Serve", "... 12 more",
        "D/AndroidRuntime(1234): Shutting down VM", "Step 3/9 : RUN make", "On Mon, 3 Nov 2026 at 8:00, Ann wrote:",
    ],
)  # fmt: skip
def test_lines_of_programs_and_forms_go(line: str) -> None:
    assert body("github", f"The export stops.\n\n{line}") == "The export stops."


@pytest.mark.parametrize(
    ("source", "text", "plain"),
    [
        ("reddit", "&gt;!The charger burned my desk!&lt;\n\nAny advice?", "The charger burned my desk\nAny advice?"),
        ("reddit", "\\&gt; buys the best phone\n\n\\&gt; it breaks", "> buys the best phone\n> it breaks"),
        ("github", "> [!WARNING]\n> The upgrade deletes data.\n\nIt did.", "The upgrade deletes data.\nIt did."),
        ("github", "<!-- Describe the bug\n\nThe export stops.", "The export stops."),
        ("github", "<!-- Describe\n\nIt stops.\n\n<!-- Expected -->\n\nIt goes on.", "It stops.\nIt goes on."),
        ("github", "<!-- The export stops", "The export stops"),
        (
            "github",
            "| Problem | Since |\n|---|---|\n| Export loses every second page | 2.4 |\n\nPlease help us.",
            "Export loses every second page\nPlease help us.",
        ),
        (
            "github",
            "I see:\n\n| Step | Result | OS |\n|---|---|---|\n| Import | fails silently | Windows 11 |",
            "I see:\nfails silently",
        ),
        ("github", "Since:\n\n- [ ] Export is slow\n- [ ] Import too", "Since:\nExport is slow\nImport too"),
        ("github", "> Exports are free\n\nReally?", "Really?\nExports are free"),
        ("github", "Why is it slow?\n\n    When I export, every second page is lost.", None),
        ("github", f"Why is it slow?\n\n{FENCE}\nWhen we export it, the page is lost.\n{FENCE}", "Why is it slow?"),
        ("reddit", "My needs:\n\n\t•\t24 GB RAM\n\n\t•\ta small budget", "My needs:\n• 24 GB RAM\n• a small budget"),
        ("hackernews", "I miss:<p><pre><code>  * good docs\n  * chat</code></pre>", "I miss:\n* good docs * chat"),
        ("hackernews", "> Exports are free<p>They are not.", "They are not."),
        ("hackernews", "I list:<p>* I read over 40 books<p>* I started a blog", None),
    ],
)  # fmt: skip
def test_what_markup_hides_stays(source: str, text: str, plain: str | None) -> None:
    expected = re.sub("<p>|\n\n *", "\n", text) if plain is None else plain
    assert body(source, text) == expected


def test_a_trace_that_is_all_there_is_leaves_its_first_line() -> None:
    assert (
        body("github", f"{FENCE}\nBackground ANR\n    at com.acme.Main.run(Main.java:17)\n{FENCE}") == "Background ANR"
    )


def test_what_is_nothing_but_code_or_emoji_has_a_text_all_the_same() -> None:
    assert body("github", f"{FENCE}\nint main() {{\n  return 0;\n}}\n{FENCE}") == "int main() {\nreturn 0;"
    assert body("github", "> only a quote") == "only a quote"
    assert body("reddit", "🔥🔥 🙃") == "fire fire upside-down face"


@pytest.mark.parametrize(
    "hostile",
    [
        ">" * 10_000 + " deep",
        "<!--" * 50_000,
        "<!-- a " * 30_000,
        "> [!NOTE]\n" * 30_000,
        ">!" * 100_000,
        ">! a " * 50_000,
        "\t•\t" * 50_000,
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


# What matches are made of; `(?i)` takes the long s, the Kelvin sign and two letters of Turkish for ASCII letters.
PARTS = (
    "pass", "PAſſword", "api_KEY", "to\u212aen", "secret", "bearer", "Bas\u0131c", "BAS\u0130C", " ", "=", ": ", "'",
    "&quot;", "a1b2c3d4e5f6g7h8i9j0", "x.y", "me", "@", "%40", "&#64;", "&#x40;", "&commat;", "[at]", "( AT )", ".com",
    "&period;", "+", "&#43;", "&plus;", "1", "49", "030", "901820", "(415)", "555", "-", ".", "2671", "phone", "wa.me/",
    "tel:", "12345678", "\n",
)  # fmt: skip
# A pattern, and what is looked for before it.
LOOKED_FOR: dict[str, Callable[[str], Any]] = {
    "AUTHORIZATION": lambda text: redactions.has_any(text, redactions.SCHEMES),
    "ASSIGNMENT": lambda text: redactions.has_any(text, redactions.SECRET_NAMES),
    "EMAIL": redactions.AT_SIGN.search,
    "SPELT_EMAIL": redactions.SPELT_AT_SIGN.search,
    "INTERNATIONAL_PHONE": redactions.PLUS_SIGN.search,
    "AMERICAN_PHONE": redactions.DIGITS.search,
    "LABELLED_PHONE": redactions.DIGITS.search,
    "WHATSAPP": redactions.DIGITS.search,
}


@settings(max_examples=200, deadline=None)
@given(text=st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
@example(text="PAſſword: 'hunter22'")
@example(text="Bas\u0131c a1b2c3d4e5f6g7h8i9j0")
@example(text="BAS\u0130C a1b2c3d4e5f6g7h8i9j0")
@example(text="api_\u212aey = a1b2c3d4e5f6g7h8i9j0")
@example(text="(415) 555-2671 me(AT)x.y.com +4930901820 tel:12345678")
def test_no_match_is_overlooked(text: str) -> None:
    for name, may_match in LOOKED_FOR.items():
        assert may_match(text) or not getattr(redactions, name).search(text)


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


def test_no_character_of_a_post_stops_a_build() -> None:
    """CLD2 refuses control characters and noncharacters, and cmark writes no UTF-8 for some references."""
    told = "The export to PDF fails since the last update, and nobody answers the mails that we send."
    planes = [plane + last for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)]
    for code in (*range(1, 0x20), *range(0x7F, 0xA0), 0xFDD0, 0xFDEF, *planes):
        row = {
            "url_hash": "a",
            "source": "github",
            "title": f"{chr(code)}The build{chr(code)}",
            "collection_date": None,
        }
        found = plain_texts.plain_text(row | {"body": f"{told}{chr(code)} &#{code};"}, frozenset())
        assert found["language"] == "en", hex(code)


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


def test_most_posts_above_the_threshold_are_found() -> None:
    """With datasketch's own weights it would be two in three."""
    posts = []
    for number in range(100):
        words = [f"word{number}x{place}" for place in range(80)]
        # 72 of the 84 sequences of three words are in both: 0.86.
        other = [*words[:20], "other", *words[21:50], "other", *words[51:]]
        posts += [(f"{number:03}", " ".join(words)), (f"{number:03}b", " ".join(other))]
    found = list(duplicates.repetitions(posts))
    assert len(found) > 85
    assert all(original == post[:3] for post, original, _ in found)


def test_only_posts_that_share_a_band_are_looked_up() -> None:
    signatures = np.random.default_rng(1).integers(1 << 32, size=(50, duplicates.PERMUTATIONS), dtype=np.uint32)
    bands = [(start, start + 13) for start in range(0, 117, 13)]
    assert not duplicates.share_a_band(signatures, bands).any()
    signatures[7, 13:26] = signatures[3, 13:26]
    # Numbers beyond the last band do not count.
    signatures[9, 117:] = signatures[5, 117:]
    assert np.flatnonzero(duplicates.share_a_band(signatures, bands)).tolist() == [3, 7]
    assert duplicates.share_a_band(signatures[:0], bands).tolist() == []


def test_an_echo_of_a_duplicate_repeats_its_original() -> None:
    longer = f"{LONG} {LONG[::-1]}"
    posts = [("a", longer), ("b", f"{longer} thanks"), ("c", f"{longer} thanks"), ("d", "Question"), ("e", longer)]
    assert [found[:2] for found in duplicates.repetitions(posts)] == [("b", "a"), ("c", "a"), ("e", "a")]


def test_ten_thousand_echoes_are_one_voice() -> None:
    echoes = [(f"u{number:05}", f"{LONG} {LONG[::-1]} number {number}") for number in range(10_000)]
    found = list(duplicates.repetitions(echoes))
    # Locality-sensitive hashing misses a pair now and then.
    assert len(found) >= 9_990
    assert sum(original == "u00000" for _, original, _ in found) >= 9_980
