"""models/silver/summaries.py: three sentences that stand in the posts."""

from typing import Any

import pytest

from tests.models import load

summaries: Any = load("silver/summaries")

POSTS = [
    "Invoices are off by a cent after VAT rounding. Greetings from rainy Bergen.",
    "VAT rounding leaves our invoices a cent short. My cat walked over the keyboard.",
    "The tax office rejects invoices because of a cent of VAT rounding! Turtles are nice.",
    "Did anybody order pizza? A cent is missing on invoices with VAT rounding per line.",
]


def test_sentences_are_central_and_verbatim() -> None:
    summary = summaries.summarise(POSTS)
    chosen = summaries.Tokenizer().to_sentences(summary)
    assert len(chosen) == 3
    assert all(any(sentence in post for post in POSTS) for sentence in chosen)
    assert sum("VAT rounding" in sentence or "cent" in sentence for sentence in chosen) >= 2


@pytest.mark.parametrize(
    ("texts", "summary"),
    [
        ([], ""),
        ([""], ""),
        (["One sentence only."], "One sentence only."),
        (["???"], "???"),
        (["🔥🔥🔥"], "🔥🔥🔥"),
        (["NO FULL STOP AND ALL CAPITALS"], "NO FULL STOP AND ALL CAPITALS"),
        (["Same. Same. Same."] * 3, "Same. Same. Same."),
    ],
)
def test_odd_texts(texts: list[str], summary: str) -> None:
    assert summaries.summarise(texts) == summary


def test_a_text_is_never_without_a_summary() -> None:
    assert summaries.summarise(["カレンダーの招待が一時間ずれる。困っています。"])


def test_the_same_posts_give_the_same_summary() -> None:
    assert summaries.summarise(POSTS) == summaries.summarise(list(POSTS))
