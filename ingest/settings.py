"""What to collect: ingest/sources.yml and sources.local.yml beside it, or the file that INGEST_SOURCES names."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from groundswell.choices import did_you_mean
from groundswell.words import reason
from groundswell.yaml_file import YamlFileError, read_yaml
from ingest.errors import IngestError
from ingest.sources import sources

SETTINGS_FILE = Path(__file__).with_name("sources.yml")
# Yours alone: Git ignores it. Each of its sections replaces the section of the same name in SETTINGS_FILE.
LOCAL_FILE = Path(__file__).with_name("sources.local.yml")

# Each source's section, by the source's name. A source without one is off.
Sections = Mapping[str, Any]


def settings_files() -> list[Path]:
    """The files to read; of two files with a section of one name, the last one counts."""
    if chosen := os.environ.get("INGEST_SOURCES"):
        return [Path(chosen)]
    return [SETTINGS_FILE, *([LOCAL_FILE] if LOCAL_FILE.exists() else [])]


def load_settings(files: Iterable[Path] | None = None) -> Sections:
    """Read and validate the files. Raises IngestError with one line for each mistake: the file, the key, what to do."""
    sections: dict[str, Any] = {}
    mistakes: list[str] = []
    for path in settings_files() if files is None else files:
        try:
            sections |= read_sections(path)
        except ValidationError as error:
            mistakes += [f"{path}: {mistake}" for mistake in mistakes_in(error)]
        except YamlFileError as error:
            mistakes.append(str(error))
    if mistakes:
        raise IngestError("\n".join(mistakes))
    return sections


def file_of(name: str) -> Path:
    """The file whose section of a source counts, to name it in an error."""
    files = settings_files()
    return next((path for path in reversed(files) if name in read_sections(path)), files[0])


def read_sections(path: Path) -> dict[str, Any]:
    """The sections that a file has. Raises YamlFileError or ValidationError."""
    document = read_yaml(path)
    # A section whose lines are all commented out is null: an empty section.
    if isinstance(document, dict):
        document = {key: {} if section is None else section for key, section in document.items()}
    read = model().model_validate({} if document is None else document)
    return {name: section for name, section in read if name in read.model_fields_set}


def model() -> type[BaseModel]:
    """The model of a file: a section for each source, none of which has to be there."""
    fields: dict[str, Any] = {source.name: (source.section | None, None) for source in sources().values()}
    return create_model("Sections", __config__=ConfigDict(extra="forbid"), **fields)


def mistakes_in(error: ValidationError) -> list[str]:
    """The mistakes that pydantic found, as `key: what is wrong`."""
    return [
        f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {explained(problem)}"
        for problem in error.errors(include_url=False)
    ]


def explained(problem: Mapping[str, Any]) -> str:
    """What is wrong with the value of a key, and what may have been meant."""
    *parents, key = problem["loc"] or ("",)
    match problem["type"]:
        case "extra_forbidden":
            known = list(sources()[parents[0]].section.model_fields) if parents else list(sources())
            return f"there is no such key: {did_you_mean(key, known, all_of(known))}"
        case "literal_error":
            section, field = sources()[parents[0]].section, str(parents[1])
            known = choices(section.model_fields[field].annotation)
            word = problem["input"]
            return f"{word!r} is not one of its values: {did_you_mean(word, known, all_of(known))}"
        case "model_type" | "model_attributes_type" if not problem["loc"]:
            return f"sections are expected: {', '.join(sources())}"
        case "model_type":
            return "a section is expected, with keys and lists"
        case "list_type":
            return "a list is expected, as in [one, another]"
    return reason(problem, {})


def all_of(known: Iterable[str]) -> str:
    """What ends an error text if no known word is like the given one."""
    return f"there are {', '.join(known)}"


def choices(annotation: Any) -> list[str]:
    """The texts of all Literals in a type."""
    inner = get_args(annotation)
    return [text for each in inner for text in ([each] if isinstance(each, str) else choices(each))]


def why_off(settings: Sections, name: str) -> str | None:
    """Why the settings leave a source out; None if they do not."""
    files = " and ".join(map(str, settings_files()))
    section = settings.get(name)
    if section is None:
        return f"{files} {'have' if ' and ' in files else 'has'} no section {name}"
    if not section.enabled:
        return f"{name}.enabled is false in {files}"
    if not any(value for field, value in section if field != "enabled"):
        return f"section {name} of {files} lists nothing to collect"
    return None
