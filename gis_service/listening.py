"""Where the service listens and as whom: the port, TLS off loopback, and leaving root behind."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path

from gis_service.embedded.account import Account
from gis_service.embedded.cluster import default_socket_root
from gis_service.settings import Settings
from grid_boundaries.errors import Refused, Unavailable

BACKLOG = 512


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address(settings: Settings) -> str:
    """Return the address that a browser opens."""
    scheme = "https" if settings.has_tls else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{settings.port}/"


def check_address(settings: Settings) -> None:
    """Refuse to listen off loopback without TLS: sign-in and persons would travel in the clear.

    Raises
    ------
    Refused
        The address is reachable from other machines and there is no certificate and key.
    """
    if is_loopback(settings.host) or settings.has_tls:
        return
    raise Refused(
        "tls-needed",
        f"在 {settings.host} 上对外服务需要 TLS：先运行 gis-service certificate，"
        "再设置 GIS_TLS_CERT 与 GIS_TLS_KEY",
        f"Serving others on {settings.host} needs TLS: run gis-service certificate,"
        " then set GIS_TLS_CERT and GIS_TLS_KEY",
        host=settings.host,
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; 0 takes any free port.

    Raises
    ------
    Unavailable
        The port is taken or not allowed, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise Unavailable(
            "port-taken",
            f"不能在 {host}:{port} 上监听（{os.strerror(error.errno or 0)}）；"
            "请关闭占用它的程序，或设置另一个 GIS_PORT",
            f"Cannot listen on {host}:{port} ({os.strerror(error.errno or 0)});"
            " stop the program that holds it, or set another GIS_PORT",
            host=host,
            port=port,
        ) from None
    opened.listen(BACKLOG)
    opened.set_inheritable(True)
    return opened


def leave_root(account: Account, data_dir: Path) -> bool:
    """Become the account when this process is root; return whether it now is the account.

    Root stays root where the account cannot read the program, since it would then break later.
    """
    if not account.switches:
        return True
    if not _can_run(account):
        return False
    default_socket_root(account).mkdir(mode=0o711, exist_ok=True)
    account.owns(default_socket_root(account), 0o711)
    account.make_folder(data_dir, 0o755)
    os.initgroups(account.name, account.gid)
    os.setgid(account.gid)
    os.setuid(account.uid)
    os.environ["HOME"] = str(data_dir)
    return True


def _can_run(account: Account) -> bool:
    where = Path(__file__).parent.parent
    command = [sys.executable, "-c", "import gis_service"]
    try:
        return account.run(command, folder=where).returncode == 0
    except (PermissionError, subprocess.SubprocessError):
        return False  # the account cannot even enter the folder
