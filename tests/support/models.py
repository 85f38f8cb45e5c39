"""Loads the file of a Python model as a module: dbt compiles these files, and no package holds them."""

import importlib.util
from functools import cache
from types import ModuleType

from tests.support.project import ROOT


@cache
def load(name: str) -> ModuleType:
    """The module of the Python model with this name."""
    [file] = (ROOT / "models").rglob(f"{name}.py")
    # Two models can define functions of one name: the path to the file tells them apart, as for other modules.
    module_name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(module_name, file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
