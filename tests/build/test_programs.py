"""silver.program_posts: what programs wrote is recognised by what many posts share, and people are not."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from tests.support.project import DATABASE, DAY, Project
from tests.support.shared import Shared

EARLIER = "2026-11-19"
# Kind, title, body and day of a post.
Said = tuple[str, str, str, str]

TRACES = ("render::draw_page\n  at gpu::submit\n  at loop", "audio::decode_frame\n  at mixer::pull\n  at timer")
ITEMS = ["the cat", "my old printer", "a wooden boat", "our garden", "the new fridge", "a violin"]
# A crash reporter's ten tickets with two faults. The first four arrive on the day before.
CRASHES: list[Said] = [
    (
        "crash",
        f"Crash report {4000 + number}: access violation at 0x{number}f{number}",
        f"Ticket of CrashCatcher {number}.2, session {number * 77}\n\n```\n  at {TRACES[number % 2]}\n```\n",
        EARLIER if number < 4 else DAY,
    )
    for number in range(10)
]
REPORTS: list[Said] = [
    ("report", f"Weekly report {week}", f"{week + 3} issues are open.\n{week} issues were closed.\n", DAY)
    for week in range(31, 35)
]
# A field of this form holds the title once more, and people write the steps.
REPEATED: list[Said] = [
    (
        "repeated",
        f'[Inspector] Cannot find node "{number}" in the tree',
        f"### Steps\n\nI opened {item} and clicked around until it broke.\n\n### Error message\n\n"
        f'Cannot find node "{number}" in the tree\n',
        DAY,
    )
    for number, item in enumerate(ITEMS)
]
QUESTIONS: list[Said] = [
    (
        "question",
        f'How do I tell the difference between "{item}" and "{number}" in version {number}.1?',
        f"I have tried to look it up, and {item} is nowhere to be found in any of the books.\nThanks in advance!",
        DAY,
    )
    for number, item in enumerate(ITEMS + [f"{item} of mine" for item in ITEMS[:4]])
]
FORM: list[Said] = [
    (
        "form",
        f"It does not work with {item}",
        f"### Describe the bug\n\nWhenever I use {item}, it stops working after a while.\n\n"
        f"### Version\n\nExtension version: {number}.1\nRun by the reporter 1.{number}\n",
        DAY,
    )
    for number, item in enumerate(ITEMS)
]
# One person says the same in three places.
COPIES: list[Said] = [("copy", "I built 12 tools in a month", "Try it at [my site](https://a.example/1)", DAY)] * 3
POSTS = CRASHES + REPORTS + REPEATED + QUESTIONS + FORM + COPIES


def program_posts(project: Project, posts: Sequence[Said], folder: Path, days: Sequence[str]) -> list[tuple[str, ...]]:
    """Import posts, build the days in this order, and return the rows of the table."""
    file = folder / "posts.jsonl"
    with file.open("w") as lines:
        for kind, title, body, day in posts:
            number = sum(map(ord, title + body))
            url = f"https://example.com/{kind}/{number}"
            if kind == "copy":
                url += f"/{lines.tell()}"
            post = {"source": "github", "url": url, "title": title, "body": body, "created_at": f"{day}T12:00:00Z"}
            lines.write(json.dumps(post) + "\n")
    project.ingest("--file", str(file))
    for day in days:
        build(project, day)
    return rows(project)


def build(project: Project, day: str) -> None:
    selection = ("--select", "resource_type:seed", "+program_posts", "--indirect-selection", "buildable")
    finished = project.build(day, *selection)
    assert finished.status == 0, finished.output


def rows(project: Project) -> list[tuple[str, ...]]:
    return project.query("select * from silver.program_posts order by url_hash")


@pytest.fixture(scope="module")
def built(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("programs")
    project = Project(folder / DATABASE, parsed=shared.parsed)
    program_posts(project, POSTS, folder, [EARLIER, DAY])
    return project


def test_programs_are_marked_and_people_are_not(built: Project) -> None:
    marked = built.query(
        "select split_part(url, '/', 4), count(*) from silver.program_posts"
        " inner join bronze.raw_items using (url_hash) group by all order by all"
    )
    assert marked == [("crash", 10), ("repeated", 6), ("report", 4)]


def test_the_tickets_of_a_program_have_one_frame_and_the_words_of_their_fault(built: Project) -> None:
    faults = built.query(
        "select distinct frame, contains(differing_words, 'decode_frame'), contains(differing_words, 'decode'),"
        " contains(differing_words, 'gpu') from silver.program_posts inner join bronze.raw_items using (url_hash)"
        " where contains(url, '/crash/') order by all"
    )
    assert faults == [
        ("Ticket of CrashCatcher <*> session <*>", False, False, True),
        ("Ticket of CrashCatcher <*> session <*>", False, True, False),
    ]
    # The words of people do not count.
    [(words,)] = built.query(
        "select string_agg(differing_words, ' ') from silver.program_posts where contains(frame, 'Inspector')"
    )
    assert "clicked" not in words


def test_posts_are_marked_from_the_day_on_which_a_frame_is_known(built: Project) -> None:
    days = built.query(
        "select as_of_date, collection_date, count(*) from silver.program_posts inner join bronze.raw_items"
        " using (url_hash, collection_date) where contains(url, '/crash/') group by all order by all"
    )
    earlier, day = date.fromisoformat(EARLIER), date.fromisoformat(DAY)
    assert days == [(earlier, earlier, 4), (day, day, 6)]


def test_neither_order_nor_another_build_changes_anything(built: Project, shared: Shared, tmp_path: Path) -> None:
    before = rows(built)
    assert before
    turned = Project(tmp_path / DATABASE, parsed=shared.parsed)
    # The days in the other order, too: the earlier day brings rows for the later one.
    assert program_posts(turned, POSTS[::-1], tmp_path, [DAY, EARLIER]) == before
    build(turned, EARLIER)
    assert rows(turned) == before
