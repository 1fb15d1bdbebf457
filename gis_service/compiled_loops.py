"""Compiled loops: where numba keeps them, a folder of its own for each version of the code."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from numba.core import config
from numba.core.dispatcher import Dispatcher

import layers

VARIABLE = "NUMBA_CACHE_DIR"


def keep_compiled(data_dir: Path) -> None:
    """Let numba keep what it compiles under the data folder, for the next start.

    numba compiles a function anew when its own file has changed, not when one that it calls has:
    after an update the old folder goes, so that no loop runs with old parts. Whoever names a
    folder by ``NUMBA_CACHE_DIR`` keeps it.
    """
    if VARIABLE in os.environ:
        return
    kept = data_dir / "numba"
    own = kept / code_version(Path(layers.__file__).parent)
    for folder in kept.glob("*"):
        if folder != own:
            shutil.rmtree(folder, ignore_errors=True)
    os.environ[VARIABLE] = str(own)
    config.reload_config()
    # a loop chooses its folder when it is imported: beside its module, where only root may write
    for loop in imported_loops():
        loop.enable_caching()


def imported_loops() -> Iterator[Dispatcher]:
    """Yield the compiled functions of the modules that have been imported."""
    package = f"{layers.__name__}."
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            yield from (one for one in vars(module).values() if isinstance(one, Dispatcher))


def code_version(folder: Path) -> str:
    """Return a name that differs wherever a module under a folder does."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
