"""ingest.sources: every source is declared once, and everything that belongs to a source is there."""

import csv
from pathlib import Path

from ingest.archive import recordings
from ingest.settings import load_settings
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


def test_every_source_has_a_section_of_the_settings() -> None:
    settings = load_settings()
    assert {name: type(section) for name, section in settings.items()} == {
        source.name: source.section for source in sources().values()
    }


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
    hosts = [host for source in sources().values() for host in hosts_of(source.site)]
    assert len(set(hosts)) == len(hosts) == len(sites())


def test_secrets_are_named_in_the_example_environment() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for source in sources().values():
        for name in (*source.secrets, *(source.login or ())):
            assert f"{name}=" in text
