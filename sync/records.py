"""The records of the board's collections, validated before they are sent: PocketBase would coerce wrong values.

A model has the fields of its collection (sync/pb_migrations) and of its view in gold. A dumped record is equal to what
PocketBase will hold. PocketBase has no null for most types: null becomes empty, 0 or false.
"""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter

Category = Literal["ai", "finance", "compliance", "logistics", "healthtech", "devtools", "ecommerce", "other"]
Impact = Literal["low", "medium", "high"]
# The built-in labeller does not know the impact of everything.
KnownImpact = Annotated[Impact | Literal[""], BeforeValidator(lambda level: "" if level is None else level)]
Trend = Literal["new", "growing", "steady", "fading", "unknown", "gone"]
Tier = Literal["certain", "likely", "emerging"]
Side = Literal["own", "competitor"]

Title = Annotated[str, Field(min_length=1, max_length=120)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Line = Annotated[str, Field(max_length=1_000)]
Paragraph = Annotated[str, Field(max_length=5_000)]
Body = Annotated[str, Field(max_length=20_000)]
Id = Annotated[str, Field(pattern="^[a-z0-9]{15}$")]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
# A count that not every source gives.
Given = Annotated[int, BeforeValidator(lambda number: 0 if number is None else number)]
# A fact that tables of earlier versions do not have.
Known = Annotated[bool, BeforeValidator(lambda fact: False if fact is None else fact)]
Measure = Annotated[
    float, Field(allow_inf_nan=False), BeforeValidator(lambda number: 0.0 if number is None else number)
]
Day = Annotated[date, PlainSerializer(lambda day: f"{day} 00:00:00.000Z")]
# A day that may not have come yet.
MaybeDay = Annotated[date | None, PlainSerializer(lambda day: f"{day} 00:00:00.000Z" if day else "")]
Moment = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.isoformat(sep=" ", timespec="milliseconds") + "Z"),
]


HTTP_URL = TypeAdapter(AnyHttpUrl)


def web_address(url: str) -> str:
    """The address, if it is an http or https address. Raises ValueError."""
    HTTP_URL.validate_python(url)
    return url


WebAddress = Annotated[str, Field(max_length=4_000), BeforeValidator(web_address)]


class Record(BaseModel):
    """The fields of all collections. A push compares content_hash to find changed records."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: Id
    content_hash: Hash


class Issue(Record):
    """A row of gold.issue_records."""

    cluster_date: Day
    cluster_id: Count
    day_rank: Count
    canonical_title: Title
    category: Category
    description: Paragraph
    would_pay_signal: bool
    impact_level: KnownImpact
    cluster_size: Count
    confidence: Measure
    complaints: Given
    without_complaints: Known
    source_counts: dict[str, Count]
    labeler: Name


class Post(Record):
    """The fields that posts of issues and posts of problems share."""

    url_hash: Hash
    source: Name
    url: WebAddress
    title: Line
    excerpt: Line
    quote: Line
    comment_count: Given
    vote_count: Given
    similarity: Measure
    supports_payment: bool
    posted_at: Moment


class IssueEvidence(Post):
    """A row of gold.issue_evidence_records."""

    issue: Id
    cluster_date: Day
    body: Body
    map_x: Measure
    map_y: Measure
    is_representative: bool


class ProblemPost(Post):
    """A row of gold.problem_post_records."""

    problem: Id
    complaint_score: Measure
    is_first_of_voice: bool
    is_weak: bool
    collection_date: Day


class Quote(BaseModel):
    """A quote from a post."""

    quote: str
    supports_payment: bool
    source: str
    url: WebAddress


class Event(BaseModel):
    """Something that happened to a problem."""

    event: Literal["opened", "continued", "merged into", "split from", "dormant", "reopened", "closed"]
    event_date: str
    posts: Count
    related_problem_id: Id | None


class ProblemName(BaseModel):
    """A name of the watchlist that posts of a problem mention."""

    name: Name
    side: Side
    posts: Count
    voices: Count


class ProblemWeek(BaseModel):
    """A week in the life of a problem."""

    week_start: str
    voices: Count
    new_voices: Count
    total_voices: Count
    events: list[str]


class Problem(Record):
    """A row of gold.problem_records."""

    title: Title
    is_edited: bool
    category: Category
    description: Paragraph
    search_text: Paragraph
    impact_level: KnownImpact
    labeler: Name
    status: Literal["active", "dormant", "closed"]
    trend: Trend
    post_count: Count
    voices: Count
    weak_voices: Count
    wordings: Count
    accounts: Given
    new_accounts: Given
    posts_in_hour: Given
    paying_voices: Count
    recent_voices: Count
    earlier_voices: Count
    source_count: Count
    days_seen: Count
    cohesion: Measure
    agreement: Measure
    tier: Tier
    demand_score: Measure
    voices_score: Measure
    engagement_score: Measure
    sources_score: Measure
    persistence_score: Measure
    payment_score: Measure
    certainty_score: Measure
    urgency_score: Measure
    agreement_score: Measure
    would_pay_signal: bool
    is_from_program: bool
    is_burst: bool
    source_counts: dict[str, Count]
    quotes: list[Quote]
    names: list[ProblemName]
    daily_voices: dict[str, dict[str, Count]]
    weeks: list[ProblemWeek]
    events: list[Event]
    first_seen: Day
    last_seen: Day


class ThemePost(Post):
    """A row of gold.theme_post_records."""

    theme: Id
    problem: Id | Literal[""]
    complaint_score: Measure
    is_first_of_voice: bool
    collection_date: Day


class Theme(Record):
    """A row of gold.theme_records."""

    title: Title
    terms: list[str]
    central_title: Name | Literal[""]
    status: Literal["active", "dormant"]
    trend: Trend
    post_count: Count
    voices: Count
    recent_voices: Count
    earlier_voices: Count
    source_count: Count
    problem_count: Count
    cohesion: Measure
    source_counts: dict[str, Count]
    daily_voices: dict[str, dict[str, Count]]
    first_seen: Day
    last_seen: Day


class NearGroup(BaseModel):
    """A group of complaints that is no problem."""

    titles: list[Title]
    posts: Count
    voices: Count
    source_count: Count
    chance: float | None
    reason: str


class Search(Record):
    """A row of gold.search_records."""

    search_date: Day
    tier: Name
    nearest_groups: list[NearGroup]
    advice: list[str]
    posts: Count
    complaints: Count
    source_count: Count
    window_posts: Count
    window_complaints: Count
    window_days: Count
    near_pairs: Count
    problems: Count
    least_voices: Count
    longest_window: Count
    least_chance: Measure


class NameDay(BaseModel):
    """The mentions of a name on a day."""

    posts: Count
    complaints: Count
    voices: Count
    share_of_voice: float | None


class WatchedName(Record):
    """A row of gold.name_records."""

    name: Name
    side: Side
    trend: Trend
    position: Count
    posts: Count
    complaints: Count
    problems: Count
    voices: Count
    recent_voices: Count
    earlier_voices: Count
    share_of_voice: Measure
    recent_share: Measure
    earlier_share: Measure
    days: dict[str, NameDay]
    first_seen: MaybeDay
    last_seen: MaybeDay


class WeekFigure(Record):
    """A row of gold.figure_records."""

    figure: Name
    position: Count
    this_week: Count
    last_week: Count
    days_this_week: Count
    days_last_week: Count
    as_of_date: Day


MODELS: dict[str, type[Record]] = {
    "issues": Issue,
    "issue_evidence": IssueEvidence,
    "problems": Problem,
    "problem_posts": ProblemPost,
    "themes": Theme,
    "theme_posts": ThemePost,
    "searches": Search,
    "watched_names": WatchedName,
    "week_figures": WeekFigure,
}


def fields_of(collection: str, record: str, content_hash: str) -> dict[str, Any]:
    """The fields of a record from gold's JSON. Raises pydantic.ValidationError if they do not fit the collection."""
    # The hash is inserted as text, so that the JSON of 20,000 bodies is parsed only once.
    text = f'{{"content_hash":{json.dumps(content_hash)},{record[1:]}'
    return MODELS[collection].model_validate_json(text).model_dump()
