"""The life of the private cluster: made once, started by the first user, stopped by the last."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from gis_service.embedded.account import Account, Finished, server_account
from gis_service.embedded.configuration import (
    PORT,
    SUPERUSER,
    memory_mb,
    parameters,
    write_configuration,
)
from gis_service.embedded.installation import Installation, chosen, installations
from gis_service.embedded.roles import (
    drop_database,
    make_database,
    make_roles,
    prepare_database,
)
from grid_boundaries.errors import Unavailable

SOCKET_PATH_LIMIT_BYTES = 107  # sun_path of Linux, less its closing zero
RETRY_S = 10.0  # a killed postmaster may stay a zombie, its memory attached, for a while
START_LIMIT_S = 600  # crash recovery replays up to max_wal_size


class Cluster:
    """A cluster in `folder`, shared by every process that opens it.

    Parameters
    ----------
    folder
        Where the cluster lives; made when missing. Its parents must be open to the account.
    account
        Account that runs the server when the caller is root; else the caller does.
    socket_root
        Folder under which the socket's own folder is made.
    durable
        False gives up safety against power cuts (tests).
    """

    def __init__(
        self,
        folder: Path,
        *,
        account: str = "postgres",
        socket_root: Path | None = None,
        durable: bool = True,
    ) -> None:
        self.folder = folder.absolute()
        self.data = self.folder / "cluster"
        self.account: Account = server_account(account)
        self.durable = durable
        root = default_socket_root(self.account) if socket_root is None else socket_root.absolute()
        self.socket_folder = root / hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        self._users: int | None = None
        _check_length(self.socket_folder)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def major(self) -> int | None:
        """The major version that made the data; None before there are any."""
        version = self.data / "PG_VERSION"
        return int(version.read_text()) if version.exists() else None

    @property
    def installation(self) -> Installation:
        """The programs that fit the data."""
        return chosen(installations(), self.major)

    def url(self, role: str, database: str) -> str:
        """Return the address of a database for a role (`configuration.ROLES`)."""
        return f"postgresql://{role}@/{database}?host={self.socket_folder}&port={PORT}"

    def open(self) -> None:
        """Make the cluster when there is none, start it when nobody has, and count as a user.

        Raises
        ------
        Unavailable
            Programs missing, of another major version, or the server does not start.
        """
        self.account.make_folder(self.folder)
        with self._alone():
            self._make_socket_folder()
            if self.major is None:
                self._make()
            self._start()
            make_roles(self.url(SUPERUSER, "postgres"))
            if self._users is None:
                self._users = self._lock_file("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)

    def close(self) -> None:
        """Stop counting as a user; the last one stops the server."""
        if self._users is None:
            return
        with self._alone():
            users, self._users = self._users, None
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # others are still there
            else:
                self._control("stop", "-m", "fast", "-t", "60")
                with suppress(OSError):  # somebody else's after leaving root, and then harmless
                    self.socket_folder.rmdir()
            finally:
                os.close(users)

    def ensure_database(self, name: str, *, template: str | None = None) -> None:
        """Make a database with PostGIS where there is none; a template already has PostGIS."""
        make_database(self.url(SUPERUSER, "postgres"), name, template)
        if template is None:
            prepare_database(self.url(SUPERUSER, name))

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it."""
        drop_database(self.url(SUPERUSER, "postgres"), name)

    def is_running(self) -> bool:
        """Say whether the server answers on its socket, even if only “still starting”."""
        return self._readiness() in {0, 1}

    def _make_socket_folder(self) -> None:
        """Make the folder that the last user took away; under the lock, lest another takes it."""
        self.account.make_folder(self.socket_folder.parent, 0o711)
        self.account.make_folder(self.socket_folder)

    def _lock_file(self, name: str) -> int:
        path = self.folder / name
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.account.owns(path, 0o600)
        return opened

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """Hold the one lock round making, starting and stopping; yields its descriptor."""
        lock = self._lock_file("lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._lock = lock
            yield lock
        finally:
            os.close(lock)

    def _make(self) -> None:
        """Make the cluster beside its place, then move it there in one step."""
        for left_over in self.folder.glob("making-*"):
            shutil.rmtree(left_over)
        draft = Path(tempfile.mkdtemp(prefix="making-", dir=self.folder))
        self.account.owns(draft, 0o700)
        # an initdb that outlives its killed parent keeps the lock until it has ended
        made = self.account.run(self._initdb(draft), folder=self.folder, keep=(self._lock,))
        if made.returncode != 0:
            raise self._failed("initdb", made.stderr)
        draft.rename(self.data)
        _sync_folder(self.folder)

    def _initdb(self, draft: Path) -> list[str]:
        return [
            self.installation.program("initdb"),
            f"--pgdata={draft}",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=peer",
            "--data-checksums",
            *([] if self.durable else ["--no-sync"]),
        ]

    def _start(self) -> None:
        """Start the server unless it answers; wait out the remains of a killed one."""
        give_up = time.monotonic() + RETRY_S
        while not self.is_running():
            settings = parameters(self.socket_folder, durable=self.durable, machine_mb=memory_mb())
            write_configuration(self.data, self.account, settings)
            started = self._control("start", "-t", str(START_LIMIT_S))
            if started.returncode == 0:
                return
            if time.monotonic() > give_up:
                raise self._failed("pg_ctl start", started.stdout + started.stderr)
            time.sleep(0.2)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        give_up = time.monotonic() + START_LIMIT_S
        while self._readiness() == 1:  # recovering, started by somebody who was killed meanwhile
            if time.monotonic() > give_up:
                raise self._failed("recovery", "")
            time.sleep(0.1)

    def _readiness(self) -> int:
        """Return pg_isready's answer: 0 accepting, 1 starting, 2 nobody, 3 not tried."""
        program = self.installation.program("pg_isready")
        command = [program, "-q", "-t", "3", "-h", str(self.socket_folder), "-p", str(PORT)]
        return self.account.run(command, folder=self.folder).returncode

    def _control(self, action: str, *options: str) -> Finished:
        # the server keeps pg_ctl's output files open, so its log must be a file of its own
        log = ["-l", str(self.folder / "server.log")] if action == "start" else []
        program = self.installation.program("pg_ctl")
        command = [program, action, "-s", "-w", "-D", str(self.data), *log, *options]
        return self.account.run(command, folder=self.folder)

    def _failed(self, step: str, said: str) -> Unavailable:
        log = self.folder / "server.log"
        lines = [*said.strip().splitlines(), *_fatal_lines(log)]
        last = lines[-1] if lines else ""
        return Unavailable(
            "database-does-not-start",
            f"数据库没有启动（{step}）：{last}；详见 {log}",
            f"The database did not start ({step}): {last}; see {log}",
            step=step,
        )


def _fatal_lines(log: Path) -> list[str]:
    """Return what a server's log tells of its end; nothing where there is no log."""
    logged = log.read_text(errors="replace") if log.exists() else ""
    return [line for line in logged.splitlines() if "FATAL:" in line or "PANIC:" in line]


def default_socket_root(account: Account, system: Path = Path("/run/gis-service")) -> Path:
    """Return where sockets live: under /run where root made it so, else in the user's own folder.

    Root and the account that it hands over to must find the same place.
    """
    if account.switches or (system.is_dir() and system.stat().st_uid == account.uid):
        return system
    return Path(tempfile.gettempdir()) / f"gis-{account.uid}"


def _check_length(socket_folder: Path) -> None:
    length_bytes = len(os.fsencode(socket_folder / f".s.PGSQL.{PORT}"))
    if length_bytes > SOCKET_PATH_LIMIT_BYTES:
        raise Unavailable(
            "socket-path-too-long",
            f"套接字路径 {length_bytes} 字节，超过 {SOCKET_PATH_LIMIT_BYTES}；"
            "请设置较短的 GIS_SOCKET_DIR",
            f"The socket's path has {length_bytes} bytes, more than {SOCKET_PATH_LIMIT_BYTES};"
            " set a shorter GIS_SOCKET_DIR",
            length_bytes=length_bytes,
        )


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
