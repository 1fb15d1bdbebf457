"""The first thing a child does: bind itself to its memory and time, and leave the network."""

from __future__ import annotations

import ctypes
import resource

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
FILES = 64


def bind(memory_bytes: int, cpu_s: int) -> None:
    """Limit this process for good; call before any library is imported that starts threads."""
    for what, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, FILES),
    ):
        resource.setrlimit(what, (limit, limit))
    # a kernel that forbids this leaves the drivers' own refusal, and a proxy that is not there
    ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)
