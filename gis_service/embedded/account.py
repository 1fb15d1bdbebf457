"""The account that runs the database: PostgreSQL refuses root, so root hands over to another."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grid_boundaries.errors import Unavailable

PRIVATE = 0o700
Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int

    @property
    def switches(self) -> bool:
        """Say whether this process is root and must become the account first."""
        return os.geteuid() == 0

    def run(self, command: Sequence[str], *, folder: Path, keep: Sequence[int] = ()) -> Finished:
        """Run a program as this account in `folder` and wait; `keep` stays open in the child.

        Standard output and error come back as text; a failing program does not raise.
        """
        # a clean environment: a caller's PGDATA, PGOPTIONS or odd locale must not reach the server
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return subprocess.run(  # noqa: S603 -- the command is built here, never by a user
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            pass_fds=keep,
            user=self.uid if self.switches else None,
            group=self.gid if self.switches else None,
            extra_groups=[] if self.switches else None,
        )

    def owns(self, path: Path, mode: int) -> None:
        """Give a path to this account (when root) with the mode."""
        if self.switches:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)

    def make_folder(self, path: Path, mode: int = PRIVATE) -> None:
        """Make a folder of this account's, and the missing ones above it.

        An empty folder of root's is given to the account: somebody made it for this, or a process
        that is making the same folder now has not come to giving it away.
        """
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self.owns(folder, mode if folder == path else 0o755)
        if self.switches and _is_empty_of_root(path):
            self.owns(path, mode)
        self._check(path)

    def _check(self, path: Path) -> None:
        """Refuse a folder that is somebody else's, or that this account cannot reach."""
        if path.stat().st_uid != self.uid:
            raise Unavailable(
                "folder-of-another",
                f"文件夹 {path} 不属于账户 {self.name}；请换一个文件夹或更改其所有者",
                f"The folder {path} does not belong to {self.name}; choose another or change owner",
                folder=str(path),
            )
        if self.run(["test", "-x", str(path)], folder=Path("/")).returncode != 0:
            raise Unavailable(
                "folder-out-of-reach",
                f"账户 {self.name} 进不了 {path}；请放开上级文件夹的 x 权限，或设置 GIS_DATA_DIR",
                f"{self.name} cannot reach {path}; open the folders above it or set GIS_DATA_DIR",
                folder=str(path),
            )


def _is_empty_of_root(path: Path) -> bool:
    # emptiness first: a folder is filled only after it was given away
    return path.is_dir() and not any(path.iterdir()) and path.stat().st_uid == 0


def server_account(preferred: str) -> Account:
    """Return who runs the database: the caller, or `preferred` when the caller is root.

    Raises
    ------
    Unavailable
        The caller is root and there is no such account.
    """
    uid = os.geteuid()
    try:
        entry = pwd.getpwnam(preferred) if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        raise Unavailable(
            "account-missing",
            f"没有可以运行数据库的账户 {preferred if uid == 0 else uid}；请设置 GIS_ACCOUNT",
            f"No account {preferred if uid == 0 else uid} to run the database; set GIS_ACCOUNT",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
