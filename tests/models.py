"""Loads a Python model's file, which dbt compiles and no package holds, as a module."""

import importlib.util
from functools import cache
from types import ModuleType

from tests.conftest import ROOT


@cache
def load(path: str) -> ModuleType:
    """The module of models/<path>.py."""
    file = ROOT / "models" / f"{path}.py"
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
