"""What to collect: ingest/sources.yml, validated."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingest.errors import IngestError

SETTINGS_FILE = Path(__file__).with_name("sources.yml")


class Section(BaseModel):
    """A part of the file; a key it does not know is an error, so that no typo goes unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GitHubSettings(Section):
    """Search queries, in GitHub's search syntax, without dates."""

    queries: list[str] = Field(min_length=1)


class StackOverflowSettings(Section):
    """Tags: a question with any of them is collected."""

    tags: list[str] = Field(min_length=1)


class RedditSettings(Section):
    """Names of subreddits, without r/."""

    subreddits: list[str] = Field(min_length=1)


class HackerNewsSettings(Section):
    """Algolia's tags, one query each, such as ask_hn and story."""

    tags: list[str] = Field(min_length=1)


class Settings(Section):
    """The whole file."""

    github: GitHubSettings
    stackoverflow: StackOverflowSettings
    reddit: RedditSettings
    hackernews: HackerNewsSettings


def load_settings(path: Path = SETTINGS_FILE) -> Settings:
    """Read and validate the file. Raises IngestError that names the key."""
    try:
        return Settings.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise IngestError(f"{path} can not be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        raise IngestError(f"{path}: {key}: {problem['msg']}") from error
