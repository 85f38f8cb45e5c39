"""ingest.sources: every source is declared once, and everything that belongs to a source is there."""

import csv
from pathlib import Path

import pytest

from ingest import settings as settings_module
from ingest.archive import recordings
from ingest.errors import IngestError
from ingest.settings import file_of, load_settings
from ingest.source import Site
from ingest.sources import sites, sources

ROOT = Path(__file__).parents[2]


def seed() -> list[dict[str, str]]:
    """The rows of seed sources."""
    with (ROOT / "seeds" / "sources.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_the_seed_names_the_declared_sources() -> None:
    assert {row["name"]: row["label"] for row in seed()} == {source.name: source.label for source in sources().values()}


def test_short_names_tell_sources_apart() -> None:
    short_names = [row["short_name"] for row in seed()]
    assert all(short_names)
    assert len(set(short_names)) == len(short_names)


def test_modules_are_named_after_their_sources() -> None:
    modules = {path.stem for path in (ROOT / "ingest" / "sources").glob("*.py")} - {"__init__"}
    assert modules == set(sources())


def test_an_error_names_the_file_whose_section_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INGEST_SOURCES", raising=False)
    monkeypatch.setattr(settings_module, "LOCAL_FILE", tmp_path / "sources.local.yml")
    (tmp_path / "sources.local.yml").write_text("github:\n")
    assert file_of("github") == tmp_path / "sources.local.yml"
    assert file_of("reddit") == settings_module.SETTINGS_FILE
    monkeypatch.setenv("INGEST_SOURCES", str(tmp_path / "sources.local.yml"))
    assert file_of("reddit") == tmp_path / "sources.local.yml"


def test_every_source_has_a_section_of_the_settings() -> None:
    settings = load_settings()
    assert {name: type(section) for name, section in settings.items()} == {
        source.name: source.section for source in sources().values()
    }


MISTAKES = """
github:
  enabled: maybe
  queries: is:issue
  repositories: [dbt-core, dbt-labs/dbt-core]
hackernews:
  tags: [storys, 3, poll, poll]
  keywords: ['say "hello"', " "]
stackoverflow: [python]
githb: {}
"""


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("sources.yml", "sources.local.yml", "twice.yml", "list.yml", "missing.yml")]
    for path, text in zip(files, (MISTAKES, "reddits: {}", "reddit: {}\nreddit: {}", "- reddit"), strict=False):
        path.write_text(text)
    with pytest.raises(IngestError) as error:
        load_settings(files)
    first, local, twice, no_sections, missing = files
    tags = "story, ask_hn, show_hn, job, poll, comment"
    assert set(str(error.value).splitlines()) == {
        f"{first}: github.enabled: Input should be a valid boolean, unable to interpret input",
        f"{first}: github.queries: a list is expected, as in [one, another]",
        f"{first}: github.repositories.0: write owner and name, as in dbt-labs/dbt-core",
        f"{first}: hackernews.tags.0: 'storys' is not one of its values: did you mean story?",
        f"{first}: hackernews.tags.1: 3 is not one of its values: there are {tags}",
        f"{first}: hackernews.keywords.0: write the words of a phrase, without quotation marks",
        f"{first}: hackernews.keywords.1: write the words of a phrase, without quotation marks",
        f"{first}: stackoverflow: a section is expected, with keys and lists",
        f"{first}: githb: there is no such key: did you mean github?",
        f"{local}: reddits: there is no such key: did you mean reddit?",
        f"{twice}, line 1: the key reddit stands twice in what begins here",
        f"{no_sections}: the file: sections are expected: {', '.join(sources())}",
        f"{missing} can not be read: No such file or directory",
    }


def test_a_section_of_the_local_file_replaces_the_tracked_one(tmp_path: Path) -> None:
    tracked, local = tmp_path / "sources.yml", tmp_path / "sources.local.yml"
    tracked.write_text("github: {queries: ['is:issue label:bug']}\nreddit: {subreddits: [devops]}")
    local.write_text("github: {organisations: [duckdb]}\nstackoverflow:\n  tags:\n")
    settings = load_settings([tracked, local])
    assert sources()["github"].queries(settings["github"]) == ["is:issue org:duckdb"]
    assert settings["reddit"].subreddits == ["devops"]
    assert settings["stackoverflow"].tags == []
    assert "hackernews" not in settings


def test_every_part_of_the_sample_is_read_by_its_source() -> None:
    folders = sorted((ROOT / "ingest" / "sample").glob("*/*"))
    assert folders
    for folder in folders:
        source = sources()[folder.name]
        posts = [item for each in recordings(folder.parent, source.name) for item in source.parse(each.payload()).items]
        assert posts
        assert {post.source for post in posts} == {source.name}


def hosts_of(site: Site) -> list[str]:
    """All hosts of a site."""
    return [site.host, *site.aliases, *site.short_hosts]


def test_no_two_sources_claim_one_host() -> None:
    hosts = [host for source in sources().values() if source.site for host in hosts_of(source.site)]
    assert len(set(hosts)) == len(hosts) == len(sites())


def test_secrets_are_named_in_the_example_environment() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for source in sources().values():
        for name in (*source.secrets, *(source.login or ())):
            assert f"{name}=" in text
