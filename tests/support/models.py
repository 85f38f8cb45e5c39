"""Loads the file of a Python model as a module: dbt compiles these files, and no package holds them."""

import importlib.util
from functools import cache
from types import ModuleType

from tests.support.project import ROOT


@cache
def load(name: str) -> ModuleType:
    """The module of the Python model with this name."""
    [file] = (ROOT / "models").rglob(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
