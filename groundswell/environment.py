"""Environment variables: a .env file for them, and addresses in them.

All commands read .env, but for those of dbt 1.11: it renders profiles.yml before it loads any code of a project.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from groundswell.choices import did_you_mean
from groundswell.errors import GroundswellError

log = logging.getLogger("groundswell")
ENV_FILE = Path(".env")
EXAMPLE = Path(__file__).parents[1] / ".env.example"
# A name that is as similar to a known one as this is taken for a slip. LLM_MODLE has 0.89, GROUNDSWELL_DEV_DB 0.875.
SPELLING = 0.88
# The variables that say which database a build writes, who labels, and where the result goes.
OF_BUILDS = re.compile("GROUNDSWELL_|LLM_|POCKETBASE_URL")
# Linux starts no program with a variable of 128 KB.
LONGEST_VALUE = 100_000
# Where the board is unless somebody says otherwise.
USUAL_ADDRESS = "127.0.0.1:8090"


class SettingError(GroundswellError):
    """An environment variable, or a line of .env, has a value that nothing can be done with."""


def load_env_file(path: Path = ENV_FILE) -> None:
    """Set the variables of a .env file that the environment does not have. Without the file, nothing happens.

    Raises SettingError.
    """
    if "--help" in sys.argv:
        # A command shows how it is used in a folder with a wrong file, too.
        return
    known = known_names()
    for name, value in settings_in(path).items():
        # Other names may be for other programs.
        if name not in os.environ and name not in known and (meant := did_you_mean(name, known, "", SPELLING)):
            log.warning("%s: nothing reads %s: %s", path, name, meant)
        os.environ.setdefault(name, value)


def settings_in(path: Path) -> dict[str, str]:
    """The variables of a .env file by name; none without the file.

    A value is taken as it is: `$` has no meaning, so that a password may hold one. Raises SettingError.
    """
    try:
        # Some editors of Windows begin a file with a mark, which would become part of the first name.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingError(f"{path} can not be read: {reason}") from error
    settings: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error or (binding.key and not can_be_set(binding.key, binding.value)):
            # Never the line itself: it may hold a key.
            blank = len(binding.original.string) - len(binding.original.string.lstrip())
            line = binding.original.line + binding.original.string[:blank].count("\n")
            raise SettingError(f"{path}, line {line}: write it as NAME=value")
        if binding.key and binding.value is not None:
            settings.setdefault(binding.key, binding.value)
    return settings


def unread_by_dbt(path: Path = ENV_FILE) -> str | None:
    """A sentence that names what .env sets for builds, and dbt does not see; None if there is nothing.

    What is as in .env.example is a default. Raises SettingError.
    """
    usual = settings_in(EXAMPLE)
    unread = [
        name
        for name, value in settings_in(path).items()
        if OF_BUILDS.match(name) and name not in os.environ and value not in ("", usual.get(name))
    ]
    if not unread:
        return None
    return (
        f"dbt does not read {path}, which sets {', '.join(unread)}: `python -m groundswell build` reads it;"
        f" for other commands of dbt load it with `set -a; . ./{path}; set +a`"
    )


def known_names() -> list[str]:
    """The names in .env.example; none where the project's files are not there, as with a wheel."""
    try:
        return re.findall(r"^#?([A-Z][A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    except FileNotFoundError:
        return []


def can_be_set(name: str, value: str | None) -> bool:
    """Whether an environment can have a variable of this name with this value."""
    return (
        value is not None and len(value.encode()) <= LONGEST_VALUE and "\0" not in f"{name}{value}" and "=" not in name
    )


def address_fault(name: str, address: str) -> str | None:
    """What is wrong with the web address that a variable holds, in one line; None if nothing is.

    The address is not shown, because it may hold a password.
    """
    # Not at the top: each command of dbt imports this module, and most of them ask about no address.
    import httpx

    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        is_complete = parts.scheme in ("http", "https") and bool(host) and "," not in host and parts.port != 0
        # The client that will ask.
        httpx.URL(address)
        is_complete = is_complete and not re.search(r"\s", address)
    except (ValueError, httpx.InvalidURL):
        is_complete = False
    return None if is_complete else f"{name} is no web address: write it with http:// or https:// and a host"


def login_fault(name: str, address: str) -> str | None:
    """What is wrong with a web address that messages show, if it holds a user or a password; None if it does not."""
    if "@" not in urlsplit(address).netloc:
        return None
    return f"{name} holds a user or a password, which messages would show: leave it out"


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of an address to listen on. Raises ValueError if one is missing.

    Without a host a server would listen on every address of the machine.
    """
    parts = re.fullmatch(r"(.+):([1-9][0-9]{0,4})", address)
    if not parts:
        raise ValueError("it is not written HOST:PORT, as 127.0.0.1:8090")
    return parts[1].strip("[]"), int(parts[2])


def require_addresses(names: Iterable[str], environment: Mapping[str, str] = os.environ) -> None:
    """Raise SettingError if one of these variables is set and holds no web address, or one with a password."""
    for name in names:
        address = environment.get(name, "").strip()
        if address and (fault := address_fault(name, address) or login_fault(name, address)):
            raise SettingError(fault)
