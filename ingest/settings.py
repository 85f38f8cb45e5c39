"""What to collect: ingest/sources.yml, validated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError, create_model

from ingest.errors import IngestError
from ingest.source import Section
from ingest.sources import sources

SETTINGS_FILE = Path(__file__).with_name("sources.yml")

# Each source's section of the file, by the source's name.
Sections = Mapping[str, Any]


def load_settings(path: Path = SETTINGS_FILE) -> Sections:
    """Read and validate the file. Raises IngestError that names the key."""
    fields: dict[str, Any] = {source.name: (source.section, ...) for source in sources().values()}
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return dict(create_model("Sections", __base__=Section, **fields).model_validate(document))
    except (OSError, yaml.YAMLError) as error:
        raise IngestError(f"{path} can not be read: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "the file"
        raise IngestError(f"{path}: {key}: {problem['msg'].removeprefix('Value error, ')}") from error
