"""YAML files that people write: what is wrong with one is a line that names it."""

from pathlib import Path

import pytest

from groundswell.yaml_file import YamlFileError, read_yaml


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        (b"a: [1", "can not be read: while parsing a flow sequence"),
        (b"a: 1\na: 2", "the key a stands twice in the mapping from line 1 on"),
        (b"a: 2026-13-45", "may have to stand in quotes (month must be in 1..12"),
        (b"a: !!int ''", "may have to stand in quotes"),
        (b"a: !!timestamp b", "may have to stand in quotes"),
        (b"a: !!bool b", "may have to stand in quotes"),
        (b"a: !!python/object/apply:os.system [true]", "could not determine a constructor"),
        (b"[" * 5_000, "nested too deep"),
        (b"a: \xe9", "it is not UTF-8"),
        (b"a: \x00", "special characters are not allowed"),
    ],
)
def test_a_mistake_is_one_line(content: bytes, mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "some.yml"
    file.write_bytes(content)
    with pytest.raises(YamlFileError) as error:
        read_yaml(file)
    assert str(error.value).startswith(f"{file} can not be read: ")
    assert mistake in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(YamlFileError, match="can not be read: Is a directory"):
        read_yaml(tmp_path)
