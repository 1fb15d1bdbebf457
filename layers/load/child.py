"""Work that may run away, done in a process of its own that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from layers.load.limits import Limits

SCRIPTS = Path(__file__).parent
# what a child inherits; nothing of the service's own settings is among it
KEPT = ("LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


def run_child(
    script: str | Path,
    arguments: Sequence[str],
    limits: Limits,
    *,
    given: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> tuple[bytes, bool]:
    """Run a script of this folder, or at a path, and return what it wrote and if it ended well.

    The child is a fresh interpreter in isolated mode, bounded in memory and CPU time by its
    first lines (`harness.py`), in wall time from here, and without the network wherever the
    kernel lets it leave it. What it wrote before it died is returned all the same.
    """
    command = [sys.executable, "-I", str(SCRIPTS / script), *_bounds(limits), *arguments]
    with subprocess.Popen(  # noqa: S603 - our own script, arguments are no shell's
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**_surroundings(), **(environment or {})},
        start_new_session=True,
    ) as process:
        try:
            written, _ = process.communicate(given, timeout=limits.reader_wall_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            written, _ = process.communicate()
    return written, process.returncode == 0


def _surroundings() -> dict[str, str]:
    """Return what a child is told of where it runs: one thread, and little of our own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", **kept}


def _bounds(limits: Limits) -> tuple[str, str]:
    return str(limits.reader_memory_bytes), str(limits.reader_cpu_s)
