"""Makes what dbt gives to the Jinja of a node when it is read: a first build makes 1,300 of these contexts.

dbt binds all of its and our 600 macros to each context, though a node calls few of them. The modules of Python and the
flags of a command are the same in all contexts.
"""

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from functools import cache
from typing import Any, NamedTuple

from dbt import flags
from dbt.clients import jinja
from dbt.clients.jinja import MacroGenerator
from dbt.context import base, providers
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
from dbt.context.manifest import ManifestContext
from dbt.contracts.graph.nodes import Macro
from dbt_common.clients.jinja import MacroFuzzTemplate, NativeSandboxTemplate

usual_dict = ManifestContext.to_dict
usual_namespace = ManifestContext._build_namespace
usual_value = base.Var.get_rendered_var
usual_flags = flags.get_flag_obj
usual_arguments = providers.args_to_dict

# Macros by name, and packages of them.
Unbound = Mapping[str, Any]


class Names(dict[str, Any]):
    """Values by name, and macros that are bound when they are read. Who looks at all names finds all of them."""

    def __init__(self, unbound: Unbound, bind: Callable[[Any], Any]) -> None:
        super().__init__()
        self.unbound, self.bind = unbound, bind

    def __missing__(self, name: str) -> Any:
        """A macro that is read for the first time."""
        self[name] = self.bind(self.unbound[name])
        return self[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a value or a macro of this name."""
        return dict.__contains__(self, name) or name in self.unbound

    def get(self, name: str, default: Any = None) -> Any:
        """The value or the macro of a name."""
        try:
            return self[name]
        except KeyError:
            return default

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.unbound) or dict.__len__(self) > 0

    def bind_all(self) -> None:
        """Bind the macros that nobody has read."""
        for name in self.unbound:
            _ = self[name]

    def __iter__(self) -> Iterator[str]:
        """All names."""
        self.bind_all()
        return super().__iter__()

    def __len__(self) -> int:
        """How many names there are."""
        self.bind_all()
        return super().__len__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """All names."""
        self.bind_all()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """All values."""
        self.bind_all()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """All names and values."""
        self.bind_all()
        return super().items()


# Jinja names the type of a package that does not have a macro.
Names.__module__, Names.__name__ = dict.__module__, dict.__name__


class Plan(NamedTuple):
    """What the nodes of a package can call: all names, and the four places in which dbt looks for them."""

    names: Unbound
    of_root: Unbound
    of_node: Unbound
    of_dbt: Unbound
    packages: Unbound


# The plans for the latest macros by package, and these macros.
plans: dict[tuple[str, ...], Plan] = {}
planned: list[Mapping[str, Any]] = []

# The latest command, and what macros see of it.
flags_by_command: list[tuple[Any, Any]] = []
arguments_by_command: list[tuple[Any, dict[str, Any]]] = []


def plan_of(builder: MacroNamespaceBuilder, macros_by_package: dict[str, dict[str, Macro]]) -> Plan:
    """What dbt finds for the nodes of a package."""
    if not planned or planned[0] is not macros_by_package:
        planned[:] = [macros_by_package]
        plans.clear()
    key = (builder.root_package, builder.search_package, *builder.internal_package_names_order)
    if key not in plans:
        found = builder.build_namespace(macros_by_package, {})
        of_root, of_node, of_dbt = found.global_namespace, found.local_namespace, found.global_project_namespace
        # A package is the same wherever it is found.
        made = {
            id(part): {name: macro.macro for name, macro in part.items()}
            for part in (of_root, of_node, of_dbt, *found.packages.values())
        }
        names = {name: made[id(value)] if isinstance(value, dict) else value.macro for name, value in found.items()}
        packages = {package: made[id(part)] for package, part in found.packages.items()}
        plans[key] = Plan(names, made[id(of_root)], made[id(of_node)], made[id(of_dbt)], packages)
    return plans[key]


def plan_namespace(context: ManifestContext) -> MacroNamespace:
    """Make the place of a context's values, and its macros, as ManifestContext._build_namespace does."""
    builder = context._get_namespace_builder()
    plan = plan_of(builder, context.manifest.get_macros_by_package())
    bound: dict[int, Any] = {}

    def bind(unbound: Any) -> Any:
        if id(unbound) not in bound:
            bound[id(unbound)] = (
                MacroGenerator(unbound, context._ctx, builder.node, builder.thread_ctx)
                if isinstance(unbound, Macro)
                else Names(unbound, bind)
            )
        return bound[id(unbound)]

    context._ctx = Names(plan.names, bind)
    packages = {package: bind(macros) for package, macros in plan.packages.items()}
    return MacroNamespace(bind(plan.of_root), bind(plan.of_node), bind(plan.of_dbt), packages)


def values_and_macros(context: ManifestContext) -> dict[str, Any]:
    """The values and macros of a context, as ManifestContext.to_dict gives them."""
    names = context._ctx
    if not isinstance(names, Names):
        return usual_dict(context)  # type: ignore[no-any-return]
    super(ManifestContext, context).to_dict()
    # A macro counts before a value of the same name.
    for name in names.unbound.keys() & dict.keys(names):
        del names[name]
    return names


def value_of(var: base.Var, name: str) -> Any:
    """The value of a var. dbt copies a whole context to find out whether a text has Jinja."""
    value = var._merged[name]
    if isinstance(value, str) and jinja._HAS_RENDER_CHARS_PAT.search(value):
        return usual_value(var, name)
    return value


def flags_once() -> Any:
    """The flags that macros see. dbt has other ones for each command."""
    command = flags.get_flags()
    if not flags_by_command or flags_by_command[0][0] is not command:
        flags_by_command[:] = [(command, usual_flags())]
    return flags_by_command[0][1]


def arguments_once(command: Any) -> dict[str, Any]:
    """The arguments of a command that macros see. Each context has a dictionary of its own."""
    if not arguments_by_command or arguments_by_command[0][0] is not command:
        arguments_by_command[:] = [(command, usual_arguments(command))]
    return arguments_by_command[0][1].copy()


def spare_contexts() -> None:
    """Call it before dbt reads the project."""
    ManifestContext._build_namespace = plan_namespace
    ManifestContext.to_dict = values_and_macros
    # The other kind copies all names.
    NativeSandboxTemplate.new_context = MacroFuzzTemplate.new_context  # type: ignore[method-assign, assignment]
    base.Var.get_rendered_var = value_of
    flags.get_flag_obj = flags_once
    providers.args_to_dict = arguments_once
    base.get_context_modules = cache(base.get_context_modules)
