"""Compiled loops: kept for the next start, and never those of another version of the code."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from numba.core import config

from gis_service.compiled_loops import (
    STAMP,
    VARIABLE,
    code_version,
    imported_loops,
    keep_compiled,
    take_compiled,
)


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


@pytest.fixture
def nothing_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Name no folder for a while; then loops are kept again where they were."""
    monkeypatch.setenv(VARIABLE, "set, so that it is put back as it was")
    monkeypatch.delenv(VARIABLE)
    yield
    monkeypatch.undo()
    config.reload_config()
    for loop in imported_loops():
        loop.enable_caching()


@pytest.mark.usefixtures("nothing_named")
def test_loops_of_this_version_stay_and_those_of_others_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_compiled(tmp_path)
    own = Path(os.environ[VARIABLE])
    assert own.parent == tmp_path / "numba"
    for folder in (own, tmp_path / "numba" / "older"):
        folder.mkdir(parents=True, exist_ok=True)
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


IMPORTED_BEFORE = """
import sys
from pathlib import Path
from layers.coverage.sites import net, swaps
from layers.hotspots import clusters, near_repeat, scan_search
from gis_service.compiled_loops import imported_loops, keep_compiled

keep_compiled(Path(sys.argv[1]))
scan_search.least_counts(0.0, 2.0, 10.0, 0.0)
from layers.coverage import patrol
for loop in imported_loops():
    print(loop.stats.cache_path)
"""


def test_loops_imported_before_and_after_are_kept_there_too(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    said = subprocess.run(
        [sys.executable, "-c", IMPORTED_BEFORE, str(tmp_path)],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    folders = said.stdout.split()
    assert len(folders) > 10
    assert all(folder.startswith(str(tmp_path / "numba")) for folder in folders)
    assert [file.name.split(".")[0] for file in tmp_path.rglob("*.nbi")]


WARMED_WITH = """
import sys
from pathlib import Path
from gis_service.compiled_loops import imported_loops, keep_compiled
from layers.coverage.sites.warm import warm

keep_compiled(Path(sys.argv[1]))
warm()
loops = [loop for loop in imported_loops() if "/sites/" in loop.py_func.__code__.co_filename]
print(sum(sum(loop.stats.cache_hits.values()) for loop in loops))
print(sum(sum(loop.stats.cache_misses.values()) for loop in loops))
"""


def test_what_set_up_compiled_is_not_compiled_again_for_a_new_data_folder(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    for words in (["-m", "gis_service.compiled_loops"], ["-c", WARMED_WITH, str(tmp_path)]):
        said = subprocess.run(
            [sys.executable, *words],
            env=environment, check=True, capture_output=True, text=True, cwd=tmp_path,
        )  # fmt: skip
    hits, misses = map(int, said.stdout.split())
    assert hits > 10
    assert misses == 0


def test_loops_compiled_from_other_code_are_left_where_they_are(tmp_path: Path) -> None:
    made = tmp_path / "package" / "__pycache__"
    made.mkdir(parents=True)
    for name in ("loop.nbi", "loop.1.nbc", "module.pyc"):
        (made / name).write_bytes(b"x")
    own = tmp_path / "numba" / "version"
    for stamp in (None, "another", "version"):
        assert not own.exists()
        if stamp is not None:
            (made / STAMP).write_text(stamp)
        take_compiled(tmp_path / "package", own)
    assert sorted(file.name for file in own.glob("*/*")) == ["loop.1.nbc", "loop.nbi"]
