"""Names of the watchlist: which words of a text are a mention, and what is wrong with a file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.watchlist import Watchlist, WatchlistError, load_watchlist, mentions_in

NAMES = Watchlist.model_validate(
    {
        "own": ["Slack", {"name": "Next.js", "aliases": ["NextJS", "Next JS"]}],
        "competitors": [
            {"name": "Go", "aliases": ["golang"], "match_case": True, "exceptions": ["Pokemon Go"]},
            {"name": "R", "match_case": True, "context": ["ggplot2", "data frame"]},
            {"name": "C", "match_case": True},
            "C++",
            "C#",
            {"name": ".NET", "match_case": True},
            {"name": "React", "exceptions": ["React Native"]},
            "GitHub",
            "GitHub Copilot",
        ],
    }
)

MANY = ", ".join(f"n{number}" for number in range(1_000))


def found(text: str, title: str = "") -> dict[str, int]:
    """The names that a post mentions, and how often."""
    return {match.name: match.occurrences for match in NAMES.matches(title, text)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("we use Slack, slack's bot and #slack", {"Slack": 3}),
        ("SLACK! (slack) *Slack* `slack` “Slack”", {"Slack": 5}),
        ("slackers slacking xslack slack2 under_slack", {}),
        ("slack.com mail.slack next-slack slack-export @slack ~/.slack --slack me@slack", {}),
        ("r/slack acme/slack slack/api https://slack.com/slack", {}),
        ("Slack/Teams, Teams/Slack", {"Slack": 2}),
        ("I like slack. And slack…", {"Slack": 2}),
        ("two channels:\nSlack. So\nslack-based, a slack-like app", {"Slack": 3}),
        ("slack-based-chat, slackbased, slack-liked", {}),
        ("C#/.NET and Java/C#", {"C#": 2, ".NET": 1}),
        ("Slackを使う", {"Slack": 1}),
        ("Sláck slacké éslack", {}),
        ("next.js, NextJS and Next  \n JS", {"Next.js": 3}),
        ("next js and Next-JS", {"Next.js": 2}),
        ("nextxjs next-auth next", {}),
        ("moved from Go to golang", {"Go": 2}),
        ("I go where you Go", {"Go": 1}),
        ("Go home. Go! (Go) - Go on\nGo", {}),
        ("Go home, I like Go", {"Go": 2}),
        ("call Go() in Go's GC", {"Go": 1}),
        ("we play Pokemon Go", {}),
        ("in R the data frame", {"R": 1}),
        ("in R the matrix", {}),
        ("data frame R&D, Ctrl-R, R=3", {}),
        ("from C, C++ and C# to C++20", {"C": 1, "C++": 2, "C#": 1}),
        ("this is C+++ and cc++", {}),
        ("in .NET and .NET 8 but ASP.NET, ..NET or .net", {".NET": 2}),
        ("React or React Native, react-dom, React.lazy", {"React": 1}),
        ("GitHub Copilot on github", {"GitHub Copilot": 1, "GitHub": 1}),
        ("", {}),
    ],
)
def test_a_mention_is_a_word_of_its_own(text: str, names: dict[str, int]) -> None:
    assert found(text) == names


def test_a_title_in_capitals_proves_nothing() -> None:
    assert found("", "How Far Can You Go Without Money") == {}
    assert found("it is written in Go", "How Far Can You Go Without Money") == {"Go": 2}
    assert found("", "Why is my build in Go slow") == {"Go": 1}


def test_a_match_says_where_it_is_and_shows_the_words_around_it() -> None:
    [match] = NAMES.matches("about slack", "x " * 100 + "with slack " + "y " * 100)
    assert (match.name, match.occurrences, match.is_in_title, match.passage) == ("Slack", 2, True, "about slack")
    [match] = NAMES.matches("", "x " * 100 + "with\nslack " + "y " * 100)
    assert (match.is_in_title, match.passage.count("with slack")) == (False, 1)
    assert match.passage.startswith("… x ")
    assert match.passage.endswith(" y …")
    assert len(match.passage) < 200


@given(st.text(alphabet="Slack SlackGo.C+#-/'R(\n.NET", max_size=60), st.text(max_size=20))
def test_any_text_is_read(body: str, title: str) -> None:
    for match in NAMES.matches(title, body):
        assert match.occurrences >= 1
        assert match.passage
    assert [match for _, match in mentions_in(NAMES, [("a", title, body)])] == NAMES.matches(title, body)


def test_without_a_file_there_are_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROUNDSWELL_WATCHLIST")
    monkeypatch.chdir(tmp_path)
    assert list(load_watchlist().names()) == []
    (tmp_path / "watchlist.yml").write_text("own:\n  # - Slack\ncompetitors: [Teams]\n")
    assert [name.name for name in load_watchlist().names()] == ["Teams"]
    (tmp_path / "watchlist.yml").write_text("")
    assert load_watchlist().matches("Teams", "Teams") == []


def test_a_letter_without_upper_case() -> None:
    matches = Watchlist.model_validate({"own": ["ßeta"]}).matches("ßeta over SSL", "")
    assert [match.name for match in matches] == ["ßeta"]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("own: Slack", "own: a list is expected, as in [one, another]"),
        ("owns: [Slack]", "owns: there is no such key"),
        ("own: [{name: Slack, alias: [s]}]", "own.1.alias: there is no such key"),
        ("own: [{name: '++'}]", "own.1.name: a name has 1 to 100 characters"),
        ("own: [Slack, {name: Teams, aliases: [slack]}]", "'slack' stands for two names"),
        ("own: [{name: No}]", "own.1.name: YAML takes it for another value than text (False): write it in quotes"),
        ("own: [1]", "own.1.name: YAML takes it for another value than text (1)"),
        ("own: [{name: a, aliases: [~]}]", "own.1.aliases.1: YAML takes it for another value than text (None)"),
        ('own: ["a\\0b"]', "own.1.name: a name has 1 to 100 characters"),
        ('own: ["a\\ud800"]', "own.1.name: a name has 1 to 100 characters"),
        ("- Slack", "the file: "),
        (f"own: [x, {MANY}]", "at most 1,000 are looked for"),
        (f"own: [{{name: Go, exceptions: [{MANY}]}}]", "it has 1,001 names"),
        (f"own: [{{name: Go, context: [{MANY}]}}]", "it has 1,001 names"),
    ],
)
def test_a_mistake_is_one_line(text: str, mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "names.yml"
    file.write_text(text)
    monkeypatch.setenv("GROUNDSWELL_WATCHLIST", str(file))
    with pytest.raises(WatchlistError) as error:
        load_watchlist()
    assert mistake in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_WATCHLIST", str(tmp_path / "missing.yml"))
    with pytest.raises(WatchlistError, match="no such file"):
        load_watchlist()


def test_the_example_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_WATCHLIST", str(Path(__file__).parents[2] / "watchlist.example.yml"))
    assert [match.name for match in load_watchlist().matches("Nuxt or NextJS?", "")] == ["Next.js", "Nuxt"]
