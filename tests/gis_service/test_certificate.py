"""The county's authority and what it signs, as a browser would look at it."""

from __future__ import annotations

import socket
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gis_service.certificate import SERVER_DAYS, fingerprint, make_certificates
from grid_boundaries.errors import Malformed

NOW = datetime.now(UTC)


def handshake(server: Path, key: Path, authority: Path, name: str) -> str | None:
    """Let a client that trusts the authority connect by a name; return the protocol."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(server, key)
    asking = ssl.create_default_context(cafile=str(authority))
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            serving.wrap_socket(there, server_side=True).close()
        except OSError:
            there.close()  # the client did not like us

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with asking.wrap_socket(here, server_hostname=name) as connected:
            return connected.version()
    finally:
        here.close()
        thread.join()


@pytest.mark.parametrize("name", ["gis.local", "10.1.2.3", "fd00::1"])
def test_a_client_that_trusts_the_authority_connects(tmp_path: Path, name: str) -> None:
    files = make_certificates(tmp_path, ["gis.local", "10.1.2.3", "fd00::1"], now=NOW)
    assert handshake(files.server, files.server_key, files.authority, name) == "TLSv1.3"


def test_a_name_that_was_not_asked_for_is_not_trusted(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ["gis.local"], now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        handshake(files.server, files.server_key, files.authority, "other.local")


def test_an_authority_of_another_county_is_not_trusted(tmp_path: Path) -> None:
    ours = make_certificates(tmp_path / "a", ["gis.local"], now=NOW)
    theirs = make_certificates(tmp_path / "b", ["gis.local"], now=NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(ours.server, ours.server_key, theirs.authority, "gis.local")


def test_the_authority_stays_so_that_phones_need_not_trust_anew(tmp_path: Path) -> None:
    before = fingerprint(make_certificates(tmp_path, ["a.local"], now=NOW).authority)
    first = fingerprint(tmp_path / "server.pem")
    files = make_certificates(tmp_path, ["b.local"], now=NOW)
    assert fingerprint(files.authority) == before
    assert fingerprint(files.server) != first
    assert handshake(files.server, files.server_key, files.authority, "b.local") == "TLSv1.3"


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ["a.local"], now=NOW)
    for key in (files.authority_key, files.server_key):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.new"))


def test_a_server_certificate_is_short_enough_for_phones(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ["a.local"], now=NOW)
    certificate = x509.load_pem_x509_certificate(files.server.read_bytes())
    holds = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert holds <= timedelta(days=398)
    assert certificate.not_valid_after_utc > NOW + timedelta(days=SERVER_DAYS - 2)


def test_the_authority_signs_servers_and_no_further_authority(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ["a.local"], now=NOW)
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)


def test_a_chinese_name_is_written_in_its_ascii_form(tmp_path: Path) -> None:
    encoded = "宁陕".encode("punycode").decode()
    files = make_certificates(tmp_path, ["宁陕.local"], now=NOW)
    certificate = x509.load_pem_x509_certificate(files.server.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [f"xn--{encoded}.local"]


@pytest.mark.parametrize("hosts", [[], [""], ["a" * 64 + ".local"], ["..local"]])
def test_what_is_no_host_is_refused(tmp_path: Path, hosts: list[str]) -> None:
    with pytest.raises(Malformed):
        make_certificates(tmp_path / "none", hosts, now=NOW)
    assert not (tmp_path / "none").exists()


def test_a_fingerprint_reads_as_phones_show_it(tmp_path: Path) -> None:
    shown = fingerprint(make_certificates(tmp_path, ["a.local"], now=NOW).authority)
    assert len(shown.split(":")) == 32
    assert shown == shown.upper()
