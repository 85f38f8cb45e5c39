"""The YAML files that people write: sources, watchlist, saved filters."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from groundswell.errors import GroundswellError

# What PyYAML raises, besides its own errors, for a date like 2026-13-45 and for a tag that does not fit its value.
NO_VALUE = (ValueError, LookupError, AttributeError)


class YamlFileError(GroundswellError):
    """A file can not be read, or is no YAML."""


class Loader(yaml.SafeLoader):
    """Reads YAML, and refuses a key that stands twice: YAML would drop the first one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The keys and values of a mapping. Raises yaml.YAMLError."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := [key for number, key in enumerate(keys) if key in keys[:number]]:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f"the key {repeated[0]} stands twice in the mapping from line {line} on")
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; None if it is empty. Raises YamlFileError with one line: the file, and what is wrong."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)  # noqa: S506  (a kind of SafeLoader)
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "its lists and keys are nested too deep"
    except yaml.YAMLError as error:
        reason = str(error)
    except NO_VALUE as error:
        reason = f"it holds a value that YAML can not read, which may have to stand in quotes ({error})"
    raise YamlFileError(f"{path} can not be read: {' '.join(reason.split())}")
