"""sync.plugin and dbt_groundswell: what a full disk makes of a build, and what dbt imports of this project."""

import errno
import gc
import io
import json
import logging
import os
import shutil
import sys
from contextlib import nullcontext, suppress
from datetime import UTC, date, datetime
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pytest
from agate.data_types import Date
from dbt import flags
from dbt.adapters import factory
from dbt.adapters.events.types import SQLQuery
from dbt.artifacts.resources import ModelConfig
from dbt.clients import jinja
from dbt.clients.jinja import MacroGenerator
from dbt.clients.jinja_static import statically_extract_macro_calls, statically_parse_unrendered_config
from dbt.context.base import Var
from dbt.context.manifest import ManifestContext
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import Macro, SourceDefinition
from dbt.contracts.graph.unparsed import UnparsedModelUpdate, UnparsedUnitTest
from dbt.contracts.project import Project
from dbt.exceptions import PackageNotFoundForMacroError
from dbt.node_types import NodeType
from dbt.plugins.manager import PluginManager
from dbt.tracking import track_behavior_change_warn
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients.jinja import (
    MacroFuzzEnvironment,
    NativeSandboxEnvironment,
    get_template,
    parse,
)
from dbt_common.dataclass_schema import dbtClassMixin
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager import EventManager
from dbt_common.events.logger import LoggerConfig
from dbt_common.exceptions import CompilationError, DbtRuntimeError
from jinja2 import Template
from mashumaro.jsonschema import build_json_schema, schema
from rich.console import Console

import dbt_groundswell
from groundswell import artifacts, contexts, disk, events, garbage, interrupted, templates
from groundswell.environment import SettingError
from groundswell.kept_parse import is_day, names_the_day
from groundswell.stages import LogError, Stages
from sync import plugin

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec


def test_a_log_that_can_not_be_written_is_named_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Handler, "handleError", plugin.handle_full_disk)
    # Each write to this file fails as on a full disk.
    handler = logging.FileHandler("/dev/full")
    log = logging.Logger("dbt", logging.DEBUG)
    log.addHandler(handler)
    for number in range(1_000):
        log.debug("record %d", number)
    # Another fault is still shown as Python shows it.
    log.debug("record %d", "no number")
    # Closing would write the buffer once more, and fail.
    with suppress(OSError):
        handler.close()
    printed = capsys.readouterr().err
    assert printed.count("can not be written, and the build goes on without it: No space left on device\n") == 1
    assert printed.count("Traceback") == 1
    assert "TypeError" in printed


def test_a_reader_that_has_gone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.Handler, "handleError", plugin.handle_full_disk)
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "w") as closed:
        # Standard output and standard error end in the same pipe, as those of a build that another program runs.
        monkeypatch.setattr(sys, "stderr", closed)
        log = logging.Logger("dbt", logging.DEBUG)
        log.addHandler(logging.StreamHandler(closed))
        for number in range(10):
            log.debug("record %d", number)


def test_a_full_disk_is_refused_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = SimpleNamespace(TARGET_PATH=str(tmp_path / "target"), LOG_PATH=str(tmp_path / "not" / "there"))
    monkeypatch.setattr(plugin, "get_flags", lambda: flags)
    plugin.require_space()
    stages = Stages(Console(), tmp_path / "logs", {"DBT_TARGET_PATH": str(tmp_path / "target")})
    stages.begin_log(date(2026, 11, 20))
    monkeypatch.setattr(disk, "NEEDED_BYTES", shutil.disk_usage(tmp_path).total + 1)
    full = r"/{} has .* MB of free disk, and a build writes up to .* MB there"
    with pytest.raises(DbtRuntimeError, match=full.format("target")):
        plugin.require_space()
    # dbt writes no log unless it is told to.
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(plugin, "why_full", lambda *folders: asked.append(folders))
    for level in ("none", "debug"):
        flags.LOG_LEVEL_FILE = level
        plugin.require_space()
    assert asked == [(flags.TARGET_PATH,), (flags.TARGET_PATH, flags.LOG_PATH)]
    # python -m groundswell day says it before the collection.
    with pytest.raises(LogError, match=full.format("logs")):
        stages.begin_log(date(2026, 11, 20))


@pytest.mark.parametrize(
    "limit", ["nonsense", "", "-1GB", "0GB", "none", "1KB", "99MB", "512", "50%", "1GB\n", "99999999TB"]
)
def test_a_memory_limit_that_duckdb_can_not_keep_is_named_in_one_line(limit: str) -> None:
    with pytest.raises(SettingError, match="GROUNDSWELL_MEMORY_LIMIT is a size of 100MB or more"):
        plugin.require_memory(limit)


@pytest.mark.parametrize("limit", ["100MB", "1GB", "512mb", "1.5 GiB"])
def test_duckdb_opens_a_file_with_each_memory_limit_that_is_let_through(limit: str, tmp_path: Path) -> None:
    plugin.require_memory(limit)
    duckdb.connect(str(tmp_path / "posts.duckdb"), config={"memory_limit": limit}).close()


def test_commands_that_only_look_make_nothing_that_nobody_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = SimpleNamespace(WHICH="list", PARTIAL_PARSE_FILE_PATH=None, SEND_ANONYMOUS_USAGE_STATS=False)
    for module in ("groundswell.artifacts", "dbt.contracts.graph.manifest"):
        monkeypatch.setattr(f"{module}.get_flags", lambda: flags)
    monkeypatch.setattr(Manifest, "write", artifacts.write_if_changed)
    written, kept = tmp_path / "manifest.json", tmp_path / "partial_parse.msgpack"

    def is_written_anew() -> bool:
        before = written.read_bytes() if written.exists() else b""
        Manifest().write(str(written))
        # It says when it was written.
        return written.read_bytes() != before

    # Neither file, then no kept project.
    assert is_written_anew()
    assert is_written_anew()
    kept.touch()
    os.utime(written, (2_000, 2_000))
    os.utime(kept, (1_000, 1_000))
    assert not is_written_anew()
    flags.WHICH = "show"
    assert not is_written_anew()
    # The user's own kept project says nothing about the file.
    flags.PARTIAL_PARSE_FILE_PATH = "other.msgpack"
    assert is_written_anew()
    flags.PARTIAL_PARSE_FILE_PATH = None
    # The project has changed.
    os.utime(written, (2_000, 2_000))
    os.utime(kept, (2_000, 2_000))
    assert is_written_anew()
    # Half a file.
    written.write_bytes(written.read_bytes()[:-1])
    assert is_written_anew()
    json.loads(written.read_bytes())


MACROS = {
    "groundswell": {"one": "one of ours, then {{ two() }} and {{ dbt.two() }}", "log": "not dbt's"},
    "package": {"one": "one of a package", "three": "{{ log() }} {{ package.one() }}"},
    "dbt": {"one": "one of dbt", "two": "two of dbt", "ref": "not a function"},
    "dbt_duckdb": {"two": "two of DuckDB"},
}


def a_context(search_package: str) -> ManifestContext:
    """What dbt gives to the Jinja of a package, with few macros."""
    factory.load_plugin("duckdb")
    manifest = Manifest()
    for package, macros in MACROS.items():
        for name, body in macros.items():
            sql = f"{{% macro {name}() %}}{body}{{% endmacro %}}"
            place = {"package_name": package, "path": "a.sql", "original_file_path": "a.sql"}
            unique_id = f"macro.{package}.{name}"
            manifest.macros[unique_id] = Macro(
                name=name, macro_sql=sql, resource_type=NodeType.Macro, unique_id=unique_id, **place
            )
    config = SimpleNamespace(
        to_target_dict=dict, cli_vars={}, project_name="groundswell", credentials=SimpleNamespace(type="duckdb")
    )
    return ManifestContext(cast("Any", config), manifest, search_package)


def named(macro: MacroGenerator | None) -> str | None:
    """The macro that a context calls."""
    return macro and macro.macro.unique_id


def seen_by_jinja(context: ManifestContext) -> list[Any]:
    """What templates find in a context, and what a wrong one is told."""
    names, found = context.to_dict(), []
    texts = ["{{ one() }}", "{{ dbt.one() }}, {{ package.three() }}", "{{ log is defined }} {{ four is defined }}"]
    texts += ["{{ four() }}", "{{ dbt.three() }}", "{{ ref() }}", "{{ context.get('four', 4) }} {{ context['two']() }}"]
    for text in texts:
        for native in (False, True):
            try:
                found.append(jinja.get_rendered(text, names, native=native))
            except CompilationError as error:
                found.append(str(error))
    for package in (None, "dbt", "groundswell", "package"):
        found += [named(context.namespace.get_from_package(package, name)) for name in ("one", "two", "log", "four")]
    with pytest.raises(PackageNotFoundForMacroError):
        context.namespace.get_from_package("nothing", "one")
    called = {name: value for name, value in names.items() if isinstance(value, MacroGenerator)}
    assert all(macro.context is names and macro.stack is context.macro_stack for macro in called.values())
    assert names["dbt"]["one"] is context.namespace.get_from_package("dbt", "one")
    return [*found, {name: named(macro) for name, macro in called.items()}, sorted(names), len(names)]


@pytest.mark.parametrize("package", ["groundswell", "package", "dbt"])
def test_a_context_has_what_dbt_gives_it(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ManifestContext, "to_dict", contexts.usual_dict)
    monkeypatch.setattr(ManifestContext, "_build_namespace", contexts.usual_namespace)
    usual = seen_by_jinja(a_context(package))
    assert "one of dbt, not dbt's one of a package" in usual
    monkeypatch.setattr(ManifestContext, "to_dict", contexts.values_and_macros)
    monkeypatch.setattr(ManifestContext, "_build_namespace", contexts.plan_namespace)
    assert seen_by_jinja(a_context(package)) == usual
    names = a_context(package).to_dict()
    # A macro is bound when it is read, and a template reads few of them.
    jinja.get_rendered("{{ two() }}", names, native=True)
    assert {"context", "two"} <= dict.keys(names)
    assert "one" in names
    assert "one" not in dict.keys(names)
    assert names["one"] is names["one"]
    assert "one" in dict.keys(names)


def test_macros_see_the_flags_of_their_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for which in ("build", "show"):
        monkeypatch.setattr(
            flags, "GLOBAL_FLAGS", SimpleNamespace(WHICH=which, FULL_REFRESH=True, TARGET_PATH=Path("t"))
        )
        assert contexts.flags_once() == contexts.usual_flags()
        assert contexts.flags_once() is contexts.flags_once()
        assert which == contexts.flags_once().WHICH


def test_a_var_and_arguments_are_what_dbt_makes_of_them() -> None:
    values = {"text": "some", "number": 1, "nothing": None, "sum": "{{ 1 + two }}"}
    var = Var({"two": 2}, values)
    assert [contexts.value_of(var, name) for name in values] == ["some", 1, None, "3"]
    assert [contexts.usual_value(var, name) for name in values] == ["some", 1, None, "3"]
    for which in ("build", "show"):
        command = SimpleNamespace(which=which, vars="{}", target_path=Path("target"))
        usual = contexts.usual_arguments(command)
        assert contexts.arguments_once(command) == usual
        contexts.arguments_once(command).clear()
        assert contexts.arguments_once(command) == usual


@pytest.mark.parametrize("fails", [False, True])
def test_a_build_writes_its_manifest_once(fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = SimpleNamespace(WHICH="build", SEND_ANONYMOUS_USAGE_STATS=False)
    for module in ("groundswell.artifacts", "dbt.contracts.graph.manifest"):
        monkeypatch.setattr(f"{module}.get_flags", lambda: flags)
    monkeypatch.setattr(Manifest, "write", artifacts.write_if_changed)
    read, path = Manifest(), tmp_path / "manifest.json"
    times: list[int] = []

    def run(manifest: Manifest) -> None:
        assert not path.exists()
        if fails:
            raise DbtRuntimeError("a selector that there is not")
        # Nodes are compiled.
        manifest.metadata.project_name = "compiled"
        manifest.write(str(path))
        times.append(path.stat().st_mtime_ns)

    monkeypatch.setattr(artifacts, "run_task", run)
    read.write(str(path))
    with pytest.raises(DbtRuntimeError) if fails else nullcontext():
        artifacts.run_and_write(cast("Any", read))
    assert json.loads(path.read_bytes())["metadata"]["project_name"] == (None if fails else "compiled")
    assert fails or times == [path.stat().st_mtime_ns]
    assert artifacts.unwritten == {}


def test_a_behavior_flag_has_the_same_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def source() -> str:
        flag: Any = {"name": "some", "default": False, "description": "A flag."}
        return str(BehaviorFlagRendered(flag, {})._behavior_change_event.flag_source)

    usual = source()
    monkeypatch.setattr(BehaviorFlagRendered, "_default_source", staticmethod(artifacts.source_of_flag))
    assert source() == usual == __name__


def without_defaults(part: Any) -> Any:
    """A JSON schema without the defaults of its fields. A field may be called default."""
    if isinstance(part, list):
        return [without_defaults(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        word: {field: without_defaults(of_field) for field, of_field in each.items()}
        if word == "properties"
        else without_defaults(each)
        for word, each in part.items()
        if word != "default"
    }


@pytest.mark.parametrize("checked", [ModelConfig, Project, SourceDefinition, UnparsedModelUpdate, UnparsedUnitTest])
def test_schemas_without_defaults_check_the_same(checked: type[dbtClassMixin], monkeypatch: pytest.MonkeyPatch) -> None:
    # The module as it comes: the other one is changed by now.
    spec = cast("ModuleSpec", find_spec(schema.__name__))
    unchanged = module_from_spec(spec)
    cast("Loader", spec.loader).exec_module(unchanged)
    monkeypatch.setattr(schema, "_default", unchanged._default)
    usual = build_json_schema(checked).to_dict()
    monkeypatch.setattr(schema, "_default", artifacts.no_default)
    spared = build_json_schema(checked).to_dict()
    assert spared == without_defaults(usual) != usual


def test_an_event_for_debugging_is_made_for_those_who_take_it() -> None:
    def log_of(level: EventLevel) -> io.StringIO:
        output = io.StringIO()
        manager.add_logger(LoggerConfig(name=f"test {level}", level=level, output_stream=output))
        return output

    values: Any = {"conn_name": "master", "sql": "select 1", "node_info": {"node_name": "issues"}}
    event, manager = SQLQuery(**values), EventManager()
    usual_log = log_of(EventLevel.INFO)
    # dbt takes events itself.
    manager.add_callback(track_behavior_change_warn)
    manager.fire_event(event)
    assert "pb_msg" not in vars(event)
    assert usual_log.getvalue() == ""
    # The same event can be fired as one for people.
    manager.fire_event(event, EventLevel.INFO)
    assert "select 1" in usual_log.getvalue()
    full_log = log_of(EventLevel.DEBUG)
    manager.fire_event(SQLQuery(**values))
    assert "select 1" in full_log.getvalue()
    manager.loggers.clear()
    taken: list[Any] = []
    manager.add_callback(taken.append)
    manager.fire_event(SQLQuery(**values))
    assert [(each.info.name, each.data.sql) for each in taken] == [("SQLQuery", "select 1")]


def test_all_results_share_a_parser_of_dates() -> None:
    one, other = Date(), Date()
    assert vars(one)["_constants"] is vars(other)["_constants"]
    assert one.cast("2026-11-20") == other.cast("20 November 2026") == date(2026, 11, 20)


def test_an_event_for_debugging_is_the_one_that_dbt_makes() -> None:
    values: Any = {"conn_name": "master", "sql": "select 1", "node_info": {"node_name": "issues"}}
    usual = SQLQuery.__new__(SQLQuery)
    events.make_event(usual, **values)
    made, changed = SQLQuery(**values), SQLQuery(**values)
    assert made.to_dict() == usual.to_dict()
    assert made.message() == usual.message()
    changed.sql = "select 2"
    assert "select 2" in changed.message()
    with pytest.raises(AttributeError):
        _ = made.nothing


def render(text: str, number: int, native: bool) -> Any:
    """What dbt makes of a template."""
    return get_template(text, {}, native=native).render({"number": number})


def test_a_template_is_compiled_once_for_each_kind_of_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{{ 1 + number }}, {{ caller is undefined }} of this test"
    monkeypatch.setattr(MacroFuzzEnvironment, "compile", templates.compile_anew)
    usual = [render(text, number, native) for number in (1, 2) for native in (False, True)]
    monkeypatch.setattr(MacroFuzzEnvironment, "compile", templates.compile_once)
    kept = templates.compiled.copy()
    assert [render(text, number, native) for number in (1, 2) for native in (False, True)] == usual
    assert templates.compiled.keys() - kept.keys() == {(MacroFuzzEnvironment, text), (NativeSandboxEnvironment, text)}
    # Whether they are native is not the same, and a fault is found each time.
    assert render("{{ number }}", 1, native=True) == 1
    assert render("{{ number }}", 1, native=False) == "1"
    for _ in range(2):
        with pytest.raises(CompilationError, match="unexpected"):
            render("{{ number + }}", 1, native=False)


def test_the_graph_is_built_when_a_macro_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = SimpleNamespace(WHICH="build")
    monkeypatch.setattr("groundswell.artifacts.get_flags", lambda: flags)
    monkeypatch.setattr(Manifest, "build_flat_graph", artifacts.build_graph_if_read)
    manifest = Manifest()
    manifest.build_flat_graph()
    usual = manifest.flat_graph
    for template in ("{{ graph.nodes }}", "{{ graph['nodes'] }}", "{{ graph.get('nodes') }}", "{{ graph | length }}"):
        rendered = [Template(template).render(graph=usual)]
        for flags.WHICH in ("list", "show"):
            manifest.build_flat_graph()
            graph: Any = manifest.flat_graph
            assert "data" not in vars(graph)
            rendered.append(Template(template).render(graph=graph))
            assert vars(graph)["data"] == usual
        assert len(set(rendered)) == 1
    assert usual.keys() >= {"nodes", "sources"}


@pytest.mark.parametrize(
    "text", ["some", "1", "true", "[1, 2]", "", " ", "ends\n", "ends\n\n", "a\r\nb", "a\nb", 'it\'s "so"', "{ a } %"]
)
def test_a_text_without_jinja_is_what_jinja_makes_of_it(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jinja, "_render_cache", {})
    usual = jinja.get_rendered(text, {}, native=True)
    kept = templates.PlainTexts()
    monkeypatch.setattr(jinja, "_render_cache", kept)
    assert [jinja.get_rendered(text, {}, native=True) for _ in range(2)] == [usual, usual]
    assert kept == {text: usual}


def test_templates_share_an_environment_unless_it_captures_macros() -> None:
    for native in (False, True):
        one, usual = templates.environment_once("a node", native=native), templates.make_environment(native=native)
        assert one is templates.environment_once("another node", native=native)
        assert (type(one), one.filters, one.undefined) == (type(usual), usual.filters, usual.undefined)
        assert one.extensions.keys() == usual.extensions.keys()
        assert templates.environment_once(None, True, native) is not templates.environment_once(None, True, native)


def test_a_macro_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "{% macro once(name: str, n=1) %}{{ other(name) }} {{ n + 1 }}{% endmacro %} of this test"
    monkeypatch.setattr(MacroFuzzEnvironment, "parse", templates.read_anew)
    usual = parse(source)
    calls = statically_extract_macro_calls(source, {})
    monkeypatch.setattr(MacroFuzzEnvironment, "parse", templates.read_once)
    monkeypatch.setattr(MacroFuzzEnvironment, "compile", templates.compile_once)
    assert parse(source) is parse(source)
    # It compares the parts of both.
    assert parse(source) == usual
    assert statically_extract_macro_calls(source, {}) == calls == ["other"]
    # What is rendered leaves the tree as it is.
    assert get_template(source, {}).render({}) == " of this test"
    assert parse(source) == usual
    # A fault is told with its line, also if the tree was read before.
    faulty = "{{ 1 }}\n{{ 1 | nothing }} of this test"
    parse(faulty)
    with pytest.raises(CompilationError, match=r"'nothing'.*\n +line 2\n +\{\{ 1 \| nothing \}\} of this test"):
        get_template(faulty, {})


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("{{ config(unique_key='date', post_hook='{{ run_day() }}') }} select {{ run_day() }}", False),
        (
            "{{ config(pre_hook=['{{ run_day() }}'], post_hook={'sql': '{{ of_day(1) }}', 'transaction': false}) }}",
            False,
        ),
        ("{{ config(post_hook='{{ run_day() }}', meta={'a': {'b': 1}}, alias=run_day()) }}", True),
        ("{{ config(tags=[run_day()]) }}", True),
        ("{{ config(tags=[of_day(1)]) }}", True),
        ("{{ config(enabled=var('date') > '2026-11-20') }}", True),
        ("{% if of_day(1) %}{{ ref('a') }}{% endif %}", True),
    ],
)
def test_a_model_that_the_day_decides_about_is_parsed_for_each_day(code: str, expected: bool) -> None:
    def macro(name: str, sql: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, macro_sql=sql, package_name="groundswell")

    model = SimpleNamespace(raw_code=code, unrendered_config=statically_parse_unrendered_config(code) or {})
    macros = {"1": macro("run_day", "{{ var('date', '') }}"), "2": macro("of_day", "{{ run_day() }}")}
    manifest = SimpleNamespace(macros=macros, nodes={"model": model}, files={})
    assert names_the_day(cast("Manifest", manifest)) is expected
    manifest.nodes = {}
    assert not names_the_day(cast("Manifest", manifest))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (date(2026, 11, 20), True),
        ("2026-11-20", True),
        ("2026-11-31", False),
        ("20261120", False),
        (datetime(2026, 11, 20, 10, tzinfo=UTC), False),
        (20261120, False),
        (None, False),
    ],
)
def test_what_is_no_day_makes_dbt_parse_and_refuse_it(value: object, expected: bool) -> None:
    assert is_day(value) is expected


def test_dbt_sets_the_garbage_collector_until_the_project_is_read() -> None:
    assert PluginManager.get_prefixed_modules()["dbt_groundswell"] is dbt_groundswell
    garbage.begin_reading()
    assert gc.get_threshold() == garbage.WHILE_READING
    garbage.end_reading()
    assert gc.get_threshold() == garbage.USUAL
    frozen = gc.get_freeze_count()
    # A process of many commands opens the database again and again. What a command leaves is not kept.
    garbage.end_reading()
    assert gc.get_freeze_count() == frozen


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "No space left on device. dbt keeps files in target/, or in",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "a.msgpack"),
            "a.msgpack: Permission denied. dbt keeps files",
        ),
        (ValueError("no file"), None),
    ],
)
def test_a_file_that_ends_dbt_is_named_in_one_line(error: Exception, line: str | None) -> None:
    said = interrupted.line_of(error)
    assert said is line or (said or "").startswith(str(line))
