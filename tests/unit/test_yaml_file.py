"""YAML files that people write: what is wrong with one is a line that names it."""

from pathlib import Path

import pytest

from groundswell.yaml_file import YamlFileError, read_yaml


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (
            b"b:\n- a: [1",
            ", line 2: what begins with [ in line 2 needs a comma between two entries and ] at its end",
        ),
        (
            b"a: {b: 1\nc: 2",
            ", line 2: what begins with { in line 1 needs a comma between two entries and } at its end",
        ),
        (b"a: b: c", ", line 1: the line has too many blanks before it, or a text with a colon needs quotes"),
        (
            b"a: 1\n b: 2",
            ", line 2: the line has too many blanks before it, or a text with a colon needs quotes",
        ),
        (b"a:\n\tb: 1", ", line 2: write blanks instead of the tab"),
        (b"a: @b", ", line 1: a text that begins with @ needs quotes"),
        (b"a: *b", ", line 1: a text that begins with * needs quotes"),
        (b"a: * b", ", line 1: a text that begins with * or & needs quotes"),
        (b"a:\nb: !c d", ", line 2: a text that begins with ! needs quotes"),
        (b"a: !!python/object/apply:os.system [true]", ", line 1: a text that begins with ! needs quotes"),
        (b'a:\n- "b\n- c', ", line 3: the quotation mark in line 2 has no second one"),
        (rb'a: "\d"', r", line 1: write \\ instead of \, or single quotation marks instead of double ones"),
        (b"a:\n- b\nc", ", line 3: a key and a colon are expected, as in key: value"),
        (
            b"- a\nb: c",
            ", line 2: this does not fit the lines before: give entries of one list or section the same blanks",
        ),
        (b"b: 2\na: 1\na: 2", ", line 1: the key a stands twice in what begins here"),
        (b"a: &a {b: 1}\nc:\n  <<: *a\n  d: 1\n  d: 2", ", line 3: the key d stands twice in what begins here"),
        (b"a: 1\n<<: 2", ", line 2: << needs keys and values to take over, as in <<: *name"),
        (b"a: 1\nb: \x00", ", line 2: delete the character 0x00, which is invisible"),
        (
            b"a: |{}",
            ", line 1: it is no YAML, and a text with special signs may need quotes"
            " (expected chomping or indentation indicators, but found '{')",
        ),
        (
            b"b: 1\na: 2026-13-45",
            ", line 2: no value can be made of what stands here (month must be in 1..12): if it is text, write it in"
            " quotes",
        ),
        (b"a:\n- 1\n- !!int ''", ", line 3: no value can be made of what stands here"),
        (b"a: !!timestamp b", ", line 1: no value can be made of what stands here"),
        (b"a: {b: [\n!!bool b]}", ", line 2: no value can be made of what stands here"),
        (b"[" * 5_000, " can not be read: its lists and keys are nested too deep"),
        (b"a: \xe9", " can not be read: it is not UTF-8"),
    ],
)
def test_a_mistake_is_one_line(content: bytes, mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "some.yml"
    file.write_bytes(content)
    with pytest.raises(YamlFileError) as error:
        read_yaml(file)
    assert str(error.value).startswith(f"{file}{mistake}")
    assert "\n" not in str(error.value)


def test_a_mapping_takes_over_keys_and_may_change_them(tmp_path: Path) -> None:
    file = tmp_path / "some.yml"
    file.write_text("a: &a {b: 1, c: 2}\nd:\n  <<: *a\n  c: 3\n")
    assert read_yaml(file) == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match="can not be read: Is a directory"):
        read_yaml(tmp_path)
