"""Which vars dbt needs while it parses the project. Models read all others when they are compiled."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

# dbt renders these when it runs them.
HOOKS = {"pre-hook", "post-hook", "pre_hook", "post_hook", "on-run-start", "on-run-end"}

VAR = re.compile(r"""\bvar\(\s*['"](\w+)['"]""")
JINJA = re.compile(r"{[{%]")
CALL = re.compile(r"\b(\w+)\(")
# What decides how a model is parsed: a {% %}, which may choose a ref, and config() without its hooks.
DECIDES = re.compile(r"{%.*?%}|{{-?\s*config\(.*?\)\s*-?}}", re.DOTALL)
HOOK = re.compile(
    r"""_hook\s*=\s*(?:\[.*?\]|\{(?:\{\{.*?\}\}|[^{}])*\}|(['"]).*?\1)""",
    re.DOTALL,
)


def vars_of_parsing(settings: Iterable[Any], models: Iterable[str], macros: Mapping[str, str]) -> set[str]:
    """The vars whose values dbt needs while it parses the project; a model reads all others when it is compiled.

    settings: what YAML files hold. models: their code. macros: their code by name. A macro in a {{ }} of a model that
    chooses a ref by a var is not seen: dbt then refuses to compile the model, and says how to name the ref.
    """
    parts = [text for setting in settings for text in texts(setting)]
    parts += [match[0] for code in models for match in DECIDES.finditer(HOOK.sub("", code))]
    text = "\n".join(parts)
    of_macros = vars_of_macros(macros)
    return {*VAR.findall(text)}.union(*(of_macros[name] for name in CALL.findall(text) if name in of_macros))


def vars_of_macros(macros: Mapping[str, str]) -> dict[str, set[str]]:
    """The vars that each macro reads, itself or in a macro that it calls."""
    read = {name: {*VAR.findall(code)} for name, code in macros.items()}
    calls = {name: {*CALL.findall(code)} & macros.keys() for name, code in macros.items()}
    while True:
        more = {name: read[name].union(*(read[called] for called in calls[name])) for name in macros}
        if more == read:
            return read
        read = more


def texts(value: Any) -> list[str]:
    """All texts with Jinja in a value of dicts and lists, without hooks."""
    if isinstance(value, dict):
        value = [each for name, each in value.items() if name not in HOOKS]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) and JINJA.search(value) else []
