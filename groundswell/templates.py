"""Spares Jinja work that it has done: dbt renders the same texts, and compiles and reads the same templates, anew.

Of 3,000 templates in a first build 1,300 come again: data tests, words of documents, nodes that are parsed and built.
Of those that remain, 600 are texts without Jinja, and dbt reads each of its 600 macros twice.
"""

from contextlib import suppress
from types import CodeType
from typing import Any

from dbt.clients import jinja
from dbt_common.clients import jinja as common
from dbt_common.clients.jinja import MacroFuzzEnvironment
from jinja2 import Environment, TemplateSyntaxError
from jinja2.nodes import Template

compile_anew = MacroFuzzEnvironment.compile
read_anew = MacroFuzzEnvironment.parse
make_environment = common.get_environment

# By the kind of environment, whose filters are the same for all of a kind, and by text.
compiled: dict[tuple[type[Environment], str], CodeType] = {}
trees: dict[tuple[type[Environment], str], Template] = {}
# By whether what templates render is native.
environments: dict[bool, Environment] = {}


class PlainTexts(dict[str, Any]):
    """What dbt keeps of rendered texts without Jinja: each one is itself, unless Jinja changes ends of its lines."""

    def __contains__(self, text: object) -> bool:
        """Whether it is known what a text without Jinja becomes."""
        if not super().__contains__(text):
            if not isinstance(text, str) or "\r" in text or text.endswith("\n"):
                return False
            self[text] = text
        return True


def compile_once(environment: Environment, source: Any, *how: Any, **options: Any) -> Any:
    """The code of a template, as the environment makes it."""
    if how or options or not isinstance(source, str):
        return compile_anew(environment, source, *how, **options)
    key = (type(environment), source)
    if key not in compiled and key in trees:
        # A fault is told with its line, which a tree does not have.
        with suppress(TemplateSyntaxError):
            compiled[key] = compile_anew(environment, trees[key])
    if key not in compiled:
        compiled[key] = compile_anew(environment, source)
    return compiled[key]


def read_once(environment: Environment, source: str, *names: str | None) -> Template:
    """The tree of a template, which nobody changes, as the environment reads it."""
    if names:
        return read_anew(environment, source, *names)
    key = (type(environment), source)
    if key not in trees:
        trees[key] = read_anew(environment, source)
    return trees[key]


def environment_once(node: Any = None, capture_macros: bool = False, native: bool = False) -> Environment:
    """The environment of a template. Only one that captures macros is about its node."""
    if capture_macros:
        return make_environment(node, capture_macros, native)
    if native not in environments:
        environments[native] = make_environment(native=native)
    return environments[native]


def keep_templates() -> None:
    """Call it before dbt reads the project."""
    common.get_environment = environment_once
    MacroFuzzEnvironment.compile = compile_once  # type: ignore[method-assign, assignment]
    MacroFuzzEnvironment.parse = read_once  # type: ignore[method-assign, assignment]
    jinja._render_cache = PlainTexts(jinja._render_cache)
