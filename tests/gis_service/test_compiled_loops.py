"""Compiled loops: kept for the next start, and never those of another version of the code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gis_service.compiled_loops import VARIABLE, code_version, keep_compiled


def code(folder: Path, **modules: str) -> str:
    for name, text in modules.items():
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return code_version(folder)


def test_the_same_code_has_the_same_version_wherever_it_lies(tmp_path: Path) -> None:
    here, there = (code(tmp_path / name, a="x = 1", b="y = 2") for name in ("here", "there"))
    assert here == there


@pytest.mark.parametrize("changed", [{"a": "x = 2"}, {"c": ""}, {"b": "y = 2\n"}])
def test_every_change_of_a_module_is_another_version(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    before = code(tmp_path, a="x = 1", b="y = 2")
    assert code(tmp_path, **changed) != before


def test_a_text_that_moves_to_another_module_is_another_version(tmp_path: Path) -> None:
    assert code(tmp_path / "one", a="x", b="") != code(tmp_path / "two", a="", b="x")


def test_what_is_no_module_does_not_count(tmp_path: Path) -> None:
    before = code(tmp_path, a="x = 1")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.nbi").write_bytes(b"\0")
    assert code_version(tmp_path) == before


def test_loops_of_this_version_stay_and_those_of_others_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "set, so that it is put back as it was")
    monkeypatch.delenv(VARIABLE)
    keep_compiled(tmp_path)
    own = Path(os.environ[VARIABLE])
    assert own.parent == tmp_path / "numba"
    for folder in (own, tmp_path / "numba" / "older"):
        folder.mkdir(parents=True)
        (folder / "loop.nbc").write_bytes(b"x")
    monkeypatch.delenv(VARIABLE)
    keep_compiled(tmp_path)
    assert [one.name for one in (tmp_path / "numba").iterdir()] == [own.name]
    assert (own / "loop.nbc").exists()


def test_a_folder_that_was_named_is_used_and_nothing_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    (tmp_path / "numba" / "older").mkdir(parents=True)
    keep_compiled(tmp_path)
    assert os.environ[VARIABLE] == "/elsewhere"
    assert (tmp_path / "numba" / "older").is_dir()
