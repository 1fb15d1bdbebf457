"""Compiled loops: where numba keeps them, a folder of its own for each version of the code."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from numba.core import config
from numba.core.caching import _CacheLocator
from numba.core.dispatcher import Dispatcher

import layers
from layers.coverage import sites
from layers.coverage.sites.warm import warm

VARIABLE = "NUMBA_CACHE_DIR"
SITES = Path(sites.__file__).parent
STAMP = "compiled-for"


def keep_compiled(data_dir: Path) -> None:
    """Let numba keep what it compiles under the data folder, for the next start.

    numba compiles a function anew when its own file has changed, not when one that it calls has:
    after an update the old folder goes, so that no loop runs with old parts. Whoever names a
    folder by ``NUMBA_CACHE_DIR`` keeps it.
    """
    if VARIABLE in os.environ:
        return
    kept = data_dir / "numba"
    own = kept / code_version()
    for folder in kept.glob("*"):
        if folder != own:
            shutil.rmtree(folder, ignore_errors=True)
    if not own.exists():
        take_compiled(SITES, own)
    os.environ[VARIABLE] = str(own)
    config.reload_config()
    # a loop chooses its folder when it is imported: beside its module, where only root may write
    for loop in imported_loops():
        loop.enable_caching()


def take_compiled(package: Path, own: Path) -> None:
    """Copy what set-up compiled beside a package's modules, unless it is of other code."""
    made = package / "__pycache__"
    stamp = made / STAMP
    if not stamp.exists() or stamp.read_text() != own.name:
        return
    target = own / _CacheLocator.get_suitable_cache_subpath(str(package / "__init__.py"))
    target.mkdir(parents=True)
    for file in made.glob("*.nb[ci]"):
        shutil.copy2(file, target)


def imported_loops() -> Iterator[Dispatcher]:
    """Yield the compiled functions of the modules that have been imported."""
    package = f"{layers.__name__}."
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            yield from (one for one in vars(module).values() if isinstance(one, Dispatcher))


def code_version(folder: Path = Path(layers.__file__).parent) -> str:
    """Return a name that differs wherever a module under a folder does."""
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


if __name__ == "__main__":  # set-up compiles, so that the first question need not wait a minute
    warm()
    (SITES / "__pycache__" / STAMP).write_text(code_version())
