"""What it costs to lift a forged problem to the top of the list: copies under many names, in few or many wordings."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.support.project import DAY, SAMPLE, Project

# Thirty invented people tell of one outage, each in words of their own: title<TAB>body.
OUTAGE = Path(__file__).with_name("outage.tsv")
NAMES = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine")
# (wordings, accounts)
CAMPAIGNS = ((5, 5), (5, 50), (10, 10), (15, 15), (20, 20), (30, 30))

PLACE = """
with ranked as (
    select
        *,
        rank() over (order by is_from_program, is_burst, demand_score desc) as place,
        count(*) over () as problems,
        exists (
            from gold.problem_posts
            where problem_posts.problem_id = ranked_problems.problem_id and contains(url, '/r/kanvas/')
        ) as is_forged,
    from gold.problems as ranked_problems
)
select place, problems, voices, wordings, is_burst, demand_score from ranked where is_forged order by place limit 1
"""


def outage() -> list[tuple[str, str]]:
    """Title and body of each post of OUTAGE."""
    return [(title, body) for title, body in (line.split("\t") for line in OUTAGE.read_text().splitlines())]


def campaign(wordings: Sequence[tuple[str, str]], accounts: int) -> str:
    """Posts of one hour as JSON lines, one an account. Each wording is used again with other names and numbers."""
    posts = []
    for number in range(accounts):
        title, body = wordings[number % len(wordings)]
        # The first account of each wording posts it as it is.
        signature = (
            f" {NAMES[number % 10]} {NAMES[number // 10 % 10]}, seat {number}" if number >= len(wordings) else ""
        )
        posts.append(
            {
                "source": "reddit",
                "url": f"https://www.reddit.com/r/kanvas/comments/{number + 4096:x}/t/",
                "title": title,
                "body": body + signature,
                "author": f"account {number}",
                "created_at": f"{DAY}T18:{number * 60 // accounts:02}:00Z",
            }
        )
    return "".join(json.dumps(post) + "\n" for post in posts)


def measure() -> Table:
    """Build the sample day once with each of CAMPAIGNS."""
    table = Table("wordings", "accounts", "place", "voices", "wordings counted", "marked", "demand", box=SIMPLE_HEAD)
    for wordings, accounts in CAMPAIGNS:
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder) / "groundswell.duckdb", {"AUTHOR_SALT": "benchmark"})
            posts = Path(folder) / "posts.jsonl"
            posts.write_text(campaign(outage()[:wordings], accounts))
            project.ingest("--date", DAY, "--replay", str(SAMPLE))
            project.ingest("--file", str(posts))
            built = project.build(data_tests=False)
            found = project.query(PLACE) if not built.status else []
            place, problems, voices, counted, is_burst, demand = found[0] if found else ("none", "", "", "", "", "")
            shown = f"{place} of {problems}" if found else "no problem"
            cells = (wordings, accounts, shown, voices, counted, {True: "yes", False: "no"}.get(is_burst, ""), demand)
            table.add_row(*map(str, cells))
    return table
