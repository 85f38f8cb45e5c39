"""What it costs to lift a forged problem to the top of the list: copies under many names, in few or many wordings.

It prints a table, and plots the places in docs/forgery.svg.
"""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from tests.support.project import DAY, ROOT, SAMPLE, Project

# Thirty invented people tell of one outage, each in words of their own: title<TAB>body.
OUTAGE = Path(__file__).with_name("outage.tsv")
NAMES = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine")
# (wordings, accounts). Each wording has an account of its own, or ten.
CAMPAIGNS = ((5, 5), (10, 10), (13, 13), (15, 15), (17, 17), (20, 20), (30, 30), (3, 30), (5, 50), (10, 100))
PLOT = ROOT / "docs" / "forgery.svg"

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
    """Build the sample day, and build it again with each of CAMPAIGNS."""
    table = Table("wordings", "accounts", "place", "voices", "wordings counted", "marked", "demand", box=SIMPLE_HEAD)
    places: dict[tuple[int, int], tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample = Project(folder / "groundswell.duckdb")
        for finished in (
            sample.ingest("--date", DAY, "--replay", str(SAMPLE), AUTHOR_SALT="benchmark"),
            sample.build(data_tests=False),
        ):
            if finished.status:
                sys.exit(finished.output)
        for wordings, accounts in CAMPAIGNS:
            copy = folder / f"{wordings} {accounts}"
            copy.mkdir()
            project = sample.copy_to(copy)
            posts = copy / "posts.jsonl"
            posts.write_text(campaign(outage()[:wordings], accounts))
            for finished in (
                project.ingest("--file", str(posts), AUTHOR_SALT="benchmark"),
                project.build(data_tests=False),
            ):
                if finished.status:
                    sys.exit(finished.output)
            found = project.query(PLACE)
            place, problems, voices, counted, is_burst, demand = found[0] if found else ("none", "", "", "", "", "")
            if found:
                places[wordings, accounts] = place, problems
            shown = f"{place} of {problems}" if found else "no problem"
            cells = (wordings, accounts, shown, voices, counted, {True: "yes", False: "no"}.get(is_burst, ""), demand)
            table.add_row(*map(str, cells))
    PLOT.write_text(plot(places))
    return table


def plot(places: Mapping[tuple[int, int], tuple[int, int]]) -> str:
    """An SVG of the place in the list against the number of wordings; places: {(wordings, accounts): (place, of)}."""
    width, height, left, top = 480, 260, 60, 24
    most = max(wordings for wordings, _ in places)
    last = max(of for _, of in places.values())

    def at(wordings: float, place: float) -> tuple[float, float]:
        x = left + wordings / most * (width - left - 20)
        return round(x, 1), round(top + (place - 1) / (last - 1) * (height - top - 50), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"',
        ' font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{left}" y="14">place of the forged problem among {last}; 1 is the top</text>',
        f'<text x="{left}" y="{height - 6}">wordings that one person wrote</text>',
    ]
    for place in (1, last):
        x, y = at(0, place)
        parts.append(f'<text x="{x - 12}" y="{y + 4}" text-anchor="end">{place}</text>')
        parts.append(f'<path d="M{x} {y}H{width - 20}" stroke="#ccc"/>')
    for wordings in range(0, most + 1, 5):
        x, y = at(wordings, last)
        parts.append(f'<text x="{x}" y="{y + 20}" text-anchor="middle">{wordings}</text>')
    for colour, label, y, accounts_of_one in (
        ("#b45309", "an account for each wording", 130, 1),
        ("#1d4ed8", "ten accounts for each wording", 148, 10),
    ):
        points = [
            at(wordings, place)
            for (wordings, accounts), (place, _) in sorted(places.items())
            if accounts == accounts_of_one * wordings
        ]
        line = " ".join(f"{x},{y}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(f'<text x="{left + 220}" y="{y}" fill="{colour}">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])
