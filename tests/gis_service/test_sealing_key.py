"""The key file: made once, whole, for its owner alone; never taken when others can read it."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from gis_service.sealing_key import KEY_BYTES, load_or_make_key
from grid_boundaries.errors import Refused


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = load_or_make_key(path)
    assert len(key) == KEY_BYTES
    assert load_or_make_key(path) == key
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    assert load_or_make_key(tmp_path / "a") != load_or_make_key(tmp_path / "b")


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    load_or_make_key(path)
    path.chmod(mode)
    with pytest.raises(Refused) as refused:
        load_or_make_key(path)
    assert refused.value.where["mode"] == oct(mode)


@pytest.mark.parametrize("length", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_half_a_key_is_refused_and_never_replaced(tmp_path: Path, length: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(bytes(length))
    path.chmod(0o600)
    with pytest.raises(Refused) as refused:
        load_or_make_key(path)
    assert refused.value.code == "key-file-broken"
    assert path.read_bytes() == bytes(length)


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    keys: list[bytes] = []

    def make() -> None:
        keys.append(load_or_make_key(path))

    threads = [threading.Thread(target=make, daemon=True) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 16
    assert set(keys) == {path.read_bytes()}
