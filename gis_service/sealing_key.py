"""The key file that personal fields are sealed with: outside the database, for its owner alone."""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from pathlib import Path

from grid_boundaries.errors import Refused

KEY_BYTES = 32


def load_or_make_key(path: Path) -> bytes:
    """Return the key in a file, making file and key (mode 0600) where there is none yet.

    Raises
    ------
    Refused
        Others than the owner may read the file, or it holds no whole key.
    """
    try:
        _make(path)
    except FileExistsError:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Refused(
                "key-file-open",
                "密钥文件可被他人读取；请执行 chmod 600 后再启动",
                "The key file can be read by others; chmod 600 it and start again",
                mode=oct(mode),
            ) from None
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise Refused(
            "key-file-broken",
            f"密钥文件应为 {KEY_BYTES} 字节；请从备份恢复",
            f"The key file should hold {KEY_BYTES} bytes; restore it from a backup",
            found_bytes=len(key),
        )
    return key


def _make(path: Path) -> None:
    """Put a whole key at the path in one step, so that a crash leaves no half of one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # fails when the key exists already, unlike a rename
    finally:
        draft.unlink()
