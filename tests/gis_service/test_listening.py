"""Port, TLS off loopback, and the account that the service runs as."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gis_service.embedded.account import server_account
from gis_service.listening import address, check_address, is_loopback, listening_socket
from gis_service.settings import Settings
from grid_boundaries.errors import Refused, Unavailable


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("gis.local", False),
        ("localhost.example", False),
    ],
)
def test_only_this_machines_own_addresses_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_others_are_served_only_over_tls() -> None:
    with pytest.raises(Refused, match="gis-service certificate") as refused:
        check_address(Settings(host="0.0.0.0"))
    assert refused.value.code == "tls-needed"
    check_address(Settings(host="0.0.0.0", tls_cert=Path("a"), tls_key=Path("b")))
    check_address(Settings())


def test_half_a_certificate_is_not_enough() -> None:
    with pytest.raises(Refused):
        check_address(Settings(host="0.0.0.0", tls_cert=Path("a")))


def test_a_taken_port_is_one_sentence_with_the_remedy() -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}.*GIS_PORT") as refused:
            listening_socket("127.0.0.1", port)
    assert refused.value.code == "port-taken"


def test_a_port_is_free_again_after_it_was_closed() -> None:
    with listening_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
    listening_socket("127.0.0.1", port).close()


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(Unavailable, match=r"192\.0\.2\.1"):
        listening_socket("192.0.2.1", 0)


def test_the_address_is_what_a_browser_opens() -> None:
    assert address(Settings()) == "http://127.0.0.1:8000/"
    assert address(Settings(host="::1", port=1)) == "http://[::1]:1/"
    secure = Settings(host="gis.local", tls_cert=Path("a"), tls_key=Path("b"))
    assert address(secure) == "https://gis.local:8000/"


LEAVE = """
import os, sys
from pathlib import Path
from gis_service.embedded.account import server_account
from gis_service.listening import leave_root
left = leave_root(server_account("postgres"), Path(sys.argv[1]))
print(left, os.geteuid(), os.getegid(), len(set(os.getgroups()) - {os.getegid()}))
"""


def test_root_becomes_the_account_where_that_can_read_the_program(folder: Path) -> None:
    account = server_account("postgres")
    command = [sys.executable, "-c", LEAVE, str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    try:
        account.run([sys.executable, "-c", "import gis_service"], folder=Path.cwd())
        assert said[:3] == ["True", str(account.uid), str(account.gid)]
        assert not account.switches or folder.stat().st_uid == account.uid
    except PermissionError:
        assert said[:2] == ["False", "0"]


def test_an_unknown_account_is_refused() -> None:
    if os.geteuid() != 0:
        assert server_account("no-such-account").uid == os.geteuid()
        return
    with pytest.raises(Unavailable, match="no-such-account"):
        server_account("no-such-account")
