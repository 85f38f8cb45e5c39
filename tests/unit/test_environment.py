"""The .env file, addresses in variables, and lists of days."""

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
import typer

from groundswell.clock import yesterday
from groundswell.cores import usable_cores
from groundswell.days import built_days, days_between, in_words, refuse_days_to_come
from groundswell.environment import EXAMPLE, SettingError, load_env_file, require_addresses, unread_by_dbt
from groundswell.errors import ended_by_signals
from ingest.__main__ import ADDRESSES
from tests.support.project import ROOT


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("# keys\nGITHUB_TOKEN=from-file\nLLM_MODEL=from-file\nPOCKETBASE_PASSWORD='a$b${HOME}#c'\nEMPTY=\n")
    for name in ("GITHUB_TOKEN", "POCKETBASE_PASSWORD", "EMPTY"):
        # Set first, so that the value of before comes back after the test.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("LLM_MODEL", "from-environment")
    load_env_file(file)
    assert os.environ["GITHUB_TOKEN"] == "from-file"
    assert os.environ["LLM_MODEL"] == "from-environment"
    assert os.environ["POCKETBASE_PASSWORD"] == "a$b${HOME}#c"
    assert os.environ["EMPTY"] == ""


def test_a_mark_of_windows_is_no_part_of_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST", "")
    monkeypatch.delenv("FIRST")
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfFIRST=1\r\n")
    load_env_file(tmp_path / ".env")
    assert os.environ["FIRST"] == "1"


def test_a_shell_reads_the_example_as_we_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every line that is switched off switched on: a blank, $ or & without quotes would be another command."""
    lines = re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE.read_text(), flags=re.MULTILINE)
    file = tmp_path / ".env"
    file.write_text(lines.replace("ALERT_URLS=\n", "ALERT_URLS='slack://a mailto://u:p$w@example.com?a=1&b=2'\n"))
    script = 'set -e -a; . "$0"; exec env -0'
    shell = subprocess.run(
        ["/bin/sh", "-c", script, str(file)], env={"PATH": os.defpath}, stdout=subprocess.PIPE, check=True
    )
    read = dict(line.split("=", 1) for line in shell.stdout.decode().split("\0") if line)
    settings: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", settings)
    load_env_file(file)
    assert settings["ALERT_URLS"] == "slack://a mailto://u:p$w@example.com?a=1&b=2"
    assert settings == {name: read[name] for name in settings}


def test_without_the_file_nothing_happens(tmp_path: Path) -> None:
    before = dict(os.environ)
    load_env_file(tmp_path / ".env")
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    "line",
    [
        "not a s3cret", "s3cret", "A='s3cret", "A=s3cret\0", "s3cret\0=b", "'s3cret=a'=b", f"A=s3cret{'x' * 100_000}",
    ],
)  # fmt: skip
def test_a_line_that_is_no_setting_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"\n# a comment\n\n{line}\n")
    with pytest.raises(SettingError, match=r"\.env, line 4: write it as NAME=value$") as raised:
        load_env_file(file)
    assert "s3cret" not in str(raised.value)


def test_a_misspelt_name_is_named_with_the_right_one(tmp_path: Path) -> None:
    names = ("LLM_MODLE", "GROUNDSWELL_DEV_DB", "OPENAI_API_KEY", "GITHUB_TOKEN", "INGEST_SOURCES")
    (tmp_path / ".env").write_text("".join(f"{name}=s3cret\n" for name in names))
    # A process of its own: what other tests do to the log of this one does not count.
    code = "from groundswell.environment import load_env_file; load_env_file()"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stderr == ".env: nothing reads LLM_MODLE: did you mean LLM_MODEL?\n"
    assert said.stdout == ""


def test_what_dbt_does_not_see_of_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"POCKETBASE_URL": "http://127.0.0.1:8090"})
    file = tmp_path / ".env"
    assert unread_by_dbt(file) is None
    # As .env.example has it, for something else than a build, empty, or in the environment as well.
    file.write_text(
        "GROUNDSWELL_DB=groundswell.duckdb\nGITHUB_TOKEN=s3cret\nLLM_BASE_URL=\nPOCKETBASE_URL=http://127.0.0.1:8090\n"
    )
    assert unread_by_dbt(file) is None
    file.write_text("GROUNDSWELL_DB=mine.duckdb\nLLM_MODEL=groq/s3cret\n")
    said = unread_by_dbt(file)
    assert said
    assert "which sets GROUNDSWELL_DB, LLM_MODEL: `python -m groundswell build` reads it" in said
    assert "s3cret" not in said


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingError, match="can not be read: Is a directory"):
        load_env_file(tmp_path / ".env")
    (tmp_path / "latin").write_bytes(b"A=\xe9\n")
    with pytest.raises(SettingError, match="can not be read: it is not UTF-8"):
        load_env_file(tmp_path / "latin")


@pytest.mark.parametrize(
    "address",
    [
        "localhost:8090", "127.0.0.1:8090", "//host", "ftp://host", "https://", "http://[", "http://a:99999",
        "http://a:b", "http://a b", "http://a,http://b", "http://a:1,http://b:2", "http://\x01",
    ],
)  # fmt: skip
def test_an_address_without_a_scheme_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(SettingError, match=r"^BOARD is no web address: write it with http:// or https:// and a host$"):
        require_addresses(["BOARD"], {"BOARD": address})


@pytest.mark.parametrize("login", ["jane:s3cret@", "s3cret@", ":s3cret@", "@", "a%40b:s3cret@"])
def test_an_address_with_a_password_is_refused_and_not_shown(login: str) -> None:
    # Messages, logs and links to the board show the address.
    with pytest.raises(SettingError, match=r"^BOARD holds a user or a password, which messages would show: leave it"):
        require_addresses(["BOARD"], {"BOARD": f"https://{login}board.example/"})


def test_addresses_that_are_fine() -> None:
    addresses = {"ONE": "http://[::1]:8090/", "TWO": " https://a/v1 ", "THREE": "https://a/@b"}
    require_addresses([*addresses, "UNSET"], addresses)


def test_every_address_of_a_service_is_checked() -> None:
    settings = [line.lstrip("#").partition("=")[0] for line in (ROOT / ".env.example").read_text().splitlines()]
    assert {name for name in settings if name.endswith(("_API_URL", "_AUTH_URL"))} == set(ADDRESSES)


def test_days_of_a_command() -> None:
    first, last = date(2026, 11, 29), date(2026, 12, 1)
    assert days_between(None, None, None) == [yesterday()]
    assert days_between(first, None, None) == [first]
    assert days_between(None, first, last) == [first, date(2026, 11, 30), last]
    refuse_days_to_come([yesterday()])
    for days in ((first, first, None), (None, first, None), (None, None, last), (None, last, first)):
        with pytest.raises(typer.BadParameter):
            days_between(*days)
    with pytest.raises(typer.BadParameter, match="has not begun"):
        refuse_days_to_come([yesterday() + timedelta(days=2)])


def test_days_in_words() -> None:
    day = date(2026, 11, 12)
    assert in_words([]) == "none"
    assert in_words([day]) == "2026-11-12"
    assert in_words([day, day + timedelta(days=1), day + timedelta(days=5)]) == "2026-11-12 to 2026-11-13, 2026-11-17"
    many = in_words([day + timedelta(days=2 * number) for number in range(20)])
    assert many.startswith("…, ")
    assert many.count(",") == 8


def test_a_day_is_built_if_it_has_a_report_or_issues() -> None:
    with duckdb.connect() as connection:
        assert built_days(connection) == []
        connection.execute("create schema gold; create table gold.issues as select date '2026-11-20' as cluster_date")
        assert built_days(connection) == [date(2026, 11, 20)]
        connection.execute("create table gold.daily_report as select date '2026-11-12' as report_date")
        assert built_days(connection) == [date(2026, 11, 12), date(2026, 11, 20)]


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt(), 130), (SystemExit(129), 129)])
def test_a_signal_ends_a_query_and_the_command(
    raised: BaseException, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    # As DuckDB raises it. A real signal is no test: DuckDB sometimes notices one only when its query ends.
    with pytest.raises(SystemExit) as ended, ended_by_signals():
        raise RuntimeError("Query interrupted") from raised
    assert ended.value.code == status
    # Who sends another signal is no person who waits for an answer.
    assert caplog.messages == ["interrupted: the same command goes on from here"] * (status == 130)


def test_another_error_of_the_runtime_stays() -> None:
    with pytest.raises(RuntimeError, match="something else"), ended_by_signals():
        raise RuntimeError("something else")


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system does not restrict a process to some cores"
)
def test_only_the_cores_that_the_process_may_use_count() -> None:
    granted = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(granted)})
    try:
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, granted)
    assert usable_cores() <= len(granted)
