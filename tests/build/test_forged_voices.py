"""One person under many names, and many people with one trouble, on the sample day."""

import json
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.forgery import campaign, outage
from tests.support.project import DAY, Project

# A template: a part of each list makes a post. {n} is another number each time.
TEMPLATE = (
    ("I am {name} from {city} and ", "Hello, {name} here. ", "Small shop in {city}: ", "As a customer since {n} "),
    ("my Parcelo labels come out blank", "Parcelo prints {n} empty labels", "all labels of Parcelo are blank"),
    (" after the update. ", " since the last release. ", " since this morning. ", " without any warning. "),
    ("I can not send a single parcel. ", "Nothing helps but to write by hand. ", "The preview is empty as well. "),
    ("Please fix this, we lose money every hour.", "This is broken and nobody cares.", "I want my money back now."),
)
TWO = (
    ("My Solvo calendar {n} is empty", "My Solvo calendar {n} is empty since the update, and I am stuck for {n} days."),
    (
        "Solvo lost all dates",
        "After the update all dates of Solvo calendar {n} are gone, broken for {n} days.",
    ),
)
# Twelve people paste one error message under what they say, and fill in one form.
OWN_WORDS = (
    ("Tallybook does not sync since noon", "My cash desk shows yesterday's sales and I can not close the day."),
    ("Sync of Tallybook fails in all shops", "We have six branches, and none of them gets the new prices."),
    ("Tallybook sync is broken again", "Third time this month. I sit here with forty receipts on paper."),
    ("Sync error in Tallybook, desk is stuck", "Customers wait in line while the spinner turns and turns."),
    ("Tallybook can't sync on my tablet", "Reinstalling did not help, and now the stock list is empty too."),
    ("Why does Tallybook stop to sync?", "Nothing was changed here, the router is fine and mail works."),
    ("Tallybook sync fails every minute", "Our accountant needs the figures before four o'clock. Help!"),
    ("Syncing Tallybook ends in an error", "It began after lunch on two of three machines, then on all."),
    ("Tallybook: sync down for everybody?", "Two friends with cafes in other towns have the same trouble."),
    ("No sync with Tallybook for hours", "I lost an evening of bookings because the app said it had saved."),
    ("Tallybook refuses to sync my sales", "Your hotline plays music only. I am close to giving up on this."),
    ("Tallybook sync error after restart", "Even a new account on a borrowed phone runs into it at once."),
)
PASTED = """### What happened?

{own}

### Output

TallySyncError: session {number} was refused by the upstream node, all retries are used up and the queue is paused
until an operator resumes it

### Anything else?

I have read the troubleshooting page and restarted the application before writing this report.
"""


def posts(product_name: str, texts: list[tuple[str, str]], source: str = "reddit") -> str:
    """Posts of one hour, each by another name."""
    return "".join(
        json.dumps(
            {
                "source": source,
                "url": f"https://example.com/r/{product_name}/comments/{number + 4096:x}/t/",
                "title": title,
                "body": body,
                "author": f"{product_name} {number}",
                "created_at": f"{DAY}T17:{number:02}:00Z",
            }
        )
        + "\n"
        for number, (title, body) in enumerate(texts)
    )


def from_template(number: int) -> tuple[str, str]:
    """One of fifty different posts."""
    dice = Random(number)
    parts = [dice.choice(options) for options in TEMPLATE]
    filled = "".join(parts).format(
        name=f"Tom {'abcdefg'[number % 7]}", city=dice.choice(("Leeds", "Porto")), n=number + 2
    )
    return ("Parcelo labels are blank", filled)


def test_copies_under_many_names_stand_below_people(built: Project, tmp_path: Path) -> None:
    project = built.copy_to(tmp_path)
    ten = [(title.format(n=n), body.format(n=n)) for n, (title, body) in zip(range(3, 13), TWO * 5, strict=True)]
    fifty = [from_template(number) for number in range(50)]
    assert len({body for _, body in fifty}) == 50
    file = tmp_path / "posts.jsonl"
    pasted = [(title, PASTED.format(own=own, number=number)) for number, (title, own) in enumerate(OWN_WORDS, 3)]
    file.write_text(
        posts("solvo", ten) + posts("parcelo", fifty) + posts("tallybook", pasted, "github") + campaign(outage(), 30)
    )
    assert project.ingest("--file", str(file), AUTHOR_SALT="pepper").status == 0
    built_again = project.build(data_tests=False)
    assert built_again.status == 0, built_again.output

    def of(name: str) -> list[dict[str, Any]]:
        rows = project.query(
            "select to_json(ranked) from (select *, rank() over (order by demand_score desc) as place,"
            " count(*) over () as problems from gold.problems) as ranked where problem_id in"
            f" (select problem_id from gold.problem_posts where contains(url, '/r/{name}/')) order by place"
        )
        return [json.loads(row) for (row,) in rows]

    # Ten names, two wordings: no problem, or one in the lower half.
    assert all(2 * problem["place"] > problem["problems"] for problem in of("solvo"))
    # Fifty names, fifty texts from one template: marked, at the end of the list, and pushed after all others.
    forged = of("parcelo")
    assert all(problem["is_burst"] or problem["is_from_program"] for problem in forged)
    assert all(2 * problem["place"] > problem["problems"] for problem in forged)
    ranks = project.query("select record_id, push_rank from gold.problem_records order by push_rank desc")
    last = {record_id for record_id, _ in ranks[: len(forged) + len(of("solvo"))]}
    assert {problem["problem_id"] for problem in forged} <= last
    # Twelve people who paste what a program wrote have words of their own.
    [pasting] = of("tallybook")
    assert not pasting["is_burst"]
    assert not pasting["is_from_program"]
    assert pasting["wordings"] == pasting["voices"] >= 10
    # Thirty people with one trouble in one hour, all of them new, in their own words.
    first = of("kanvas")[0]
    assert (first["place"], first["is_burst"], first["is_from_program"]) == (1, False, False)
    assert first["wordings"] == first["voices"] >= 20
    assert first["new_accounts"] == first["accounts"]
    assert first["posts_in_hour"] == first["post_count"]
    # Copies make nothing urgent. What many people tell in their own words is.
    urgent = {problem_id for (problem_id,) in project.query("select problem_id from gold.problem_hours")}
    assert not urgent & {problem["problem_id"] for problem in forged + of("solvo")}
    assert {first["problem_id"], pasting["problem_id"]} <= urgent
