"""What dbt keeps of the parsed project serves every day: dbt itself parses anew whenever var `date` is another.

Models get the day at run time (macro run_day), so that nothing that dbt keeps holds it. Where a setting in a YAML file
or in config() names the day, or a {% %} of a model, dbt parses anew for each command.
"""

from datetime import date
from typing import Any

from dbt.contracts.files import SchemaSourceFile
from dbt.contracts.graph.manifest import Manifest, ManifestStateCheck
from dbt.events.types import UnableToPartialParse
from dbt.parser.manifest import ManifestLoader, ReparseReason
from dbt_common.events.functions import fire_event

from groundswell.parse_vars import vars_of_parsing

# Other projects may run in the same installation.
PROJECT = "groundswell"

usual_state = ManifestLoader.build_manifest_state_check
usual_answer = ManifestLoader.is_partial_parsable


def names_the_day(manifest: Manifest) -> bool:
    """Whether a setting or a {% %} names the day: by var date, or by a macro that reads it."""
    nodes = manifest.nodes.values()
    settings = [file.dfy for file in manifest.files.values() if isinstance(file, SchemaSourceFile)]
    # With those of dbt_project.yml.
    settings += [node.unrendered_config for node in nodes]
    macros = {macro.name: macro.macro_sql for macro in manifest.macros.values() if macro.package_name == PROJECT}
    return "date" in vars_of_parsing(settings, [node.raw_code for node in nodes], macros)


def is_day(value: Any) -> bool:
    """Whether it is a day of the calendar as --vars names one: dbt reads an unquoted one as a date."""
    try:
        return type(value) is date or date.fromisoformat(value).isoformat() == value
    except (TypeError, ValueError):
        return False


def state_of_any_day(loader: ManifestLoader) -> ManifestStateCheck:
    """What dbt compares to see whether all must be parsed anew, without var date.

    Macro require_settings checks the vars as dbt parses: a day that is none, or that stands beside another day, stays.
    """
    project = loader.root_project
    variables = project.cli_vars
    if project.project_name != PROJECT or not is_day(variables.get("date")) or "next_day" in variables:
        return usual_state(loader)
    project.cli_vars = {name: value for name, value in variables.items() if name != "date"}
    try:
        return usual_state(loader)
    finally:
        project.cli_vars = variables


def is_usable(loader: ManifestLoader, manifest: Manifest) -> tuple[bool, str | None]:
    """Whether dbt can go on from a manifest that it has kept, and why not."""
    usable, reason = usual_answer(loader, manifest)
    if usable and loader.root_project.project_name == PROJECT and names_the_day(manifest):
        fire_event(UnableToPartialParse(reason="a setting of the project names the day"))
        return False, ReparseReason.vars_changed
    return usable, reason


def keep_for_every_day() -> None:
    """Call it before dbt reads the project."""
    ManifestLoader.build_manifest_state_check = state_of_any_day
    ManifestLoader.is_partial_parsable = is_usable
