"""The sources: each module of this package declares one, as SOURCE."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    # A module of a source imports ingest.item, which imports this one.
    from ingest.source import Site, Source


@cache
def sources() -> Mapping[str, "Source[Any]"]:
    """All sources by name, in alphabetical order of their modules."""
    declared = [import_module(f"{__name__}.{module.name}").SOURCE for module in iter_modules(__path__)]
    return {source.name: source for source in declared}


@cache
def sites() -> Mapping[str, "Site"]:
    """The sites of all sources by host, aliases and short hosts included; hosts stand there without www."""
    return {
        host.removeprefix("www."): source.site
        for source in sources().values()
        if source.site
        for host in (source.site.host, *source.site.aliases, *source.site.short_hosts)
    }


def source_at(address: object) -> str | None:
    """The name of the source whose site an address lies on; None for any other address, and for what is no text."""
    try:
        host = urlsplit(address.strip()).hostname if isinstance(address, str) else None
    except ValueError:
        return None
    site = sites().get((host or "").removeprefix("www."))
    return next((source.name for source in sources().values() if site and source.site is site), None)
