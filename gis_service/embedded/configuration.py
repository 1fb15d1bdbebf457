"""What the private cluster's configuration files say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gis_service.embedded.account import Account

SUPERUSER = "postgres"
OWNER = "gis_owner"  # owns databases and tables, runs migrations
SERVICE = "gis_service"  # what requests run as: owns nothing, bypasses nothing
ROLES = (SUPERUSER, OWNER, SERVICE)
PORT = 5432  # only the name of the socket file: nothing listens on the network
HBA = "local all all peer map=gis\n"
_MEGABYTE = 1 << 20


def memory_mb() -> int:
    """Return the machine's memory in MB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MEGABYTE


def parameters(socket_folder: Path, *, durable: bool, machine_mb: int) -> Mapping[str, str]:
    """Return the server's settings for a machine of that memory.

    `durable=False` gives up safety against power cuts, for tests only; a killed process
    loses nothing either way.
    """
    switch = "on" if durable else "off"
    return _FIXED | {
        "unix_socket_directories": str(socket_folder),
        "shared_buffers": f"{min(1024, max(128, machine_mb // 8))}MB",
        "effective_cache_size": f"{max(256, machine_mb // 2)}MB",
        "fsync": switch,
        "full_page_writes": switch,
    }


_FIXED = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "max_connections": "100",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "wal_compression": "lz4",  # whole pages go into the log after each checkpoint
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",  # a COPY into a table of the same transaction writes no log
    "max_wal_senders": "0",
    "synchronous_commit": "on",  # a killed server must lose nothing that was committed
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than it saves in statements of milliseconds
    "timezone": "UTC",
    "cluster_name": "gis-service",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}


def configuration(settings: Mapping[str, str]) -> str:
    """Return the text of postgresql.conf."""
    quoted = ((name, value.replace("'", "''")) for name, value in settings.items())
    return "".join(f"{name} = '{value}'\n" for name, value in quoted)


def identities(account: Account) -> str:
    """Return pg_ident.conf: root and the service's account may take each of the roles."""
    names = sorted({"root", account.name})
    return "".join(f'gis "{name}" {role}\n' for name in names for role in ROLES)


def write_configuration(folder: Path, account: Account, settings: Mapping[str, str]) -> None:
    """Write the three files into the cluster's folder, each whole or not at all."""
    texts = {
        "postgresql.conf": configuration(settings),
        "pg_hba.conf": HBA,
        "pg_ident.conf": identities(account),
    }
    for name, text in texts.items():
        draft = folder / f"{name}.new"
        draft.write_text(text, encoding="utf-8")
        account.owns(draft, 0o600)
        draft.replace(folder / name)
