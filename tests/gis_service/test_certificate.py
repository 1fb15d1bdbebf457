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
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from gis_service.certificate import (
    AUTHORITY_DAYS,
    SERVER_DAYS,
    fingerprint,
    make_certificates,
)
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

    thread = threading.Thread(target=serve, daemon=True)
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


@pytest.mark.parametrize(
    ("hosts", "kinds"),
    [
        (["gis.county"], ["gis.county"]),
        (["10.1.2.3"], ["10.1.2.3"]),
        (["::1"], ["::1"]),
        (["a", "b", "a"], ["a", "b", "a"]),
        (["gis.county", "10.1.2.3"], ["gis.county", "10.1.2.3"]),
        (["LOCALHOST"], ["LOCALHOST"]),
        (["0:0:0:0:0:0:0:1"], ["::1"]),
    ],
)
def test_every_host_is_named_as_what_it_is(
    tmp_path: Path, hosts: list[str], kinds: list[str]
) -> None:
    files = make_certificates(tmp_path, hosts, now=NOW)
    certificate = x509.load_pem_x509_certificate(files.server.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(name.value) for name in names] == kinds
    for name, host in zip(names, hosts, strict=True):
        is_address = host[0].isdigit() or ":" in host
        assert isinstance(name, x509.IPAddress) is is_address


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "a" * 64,
        "a..b",
        "." * 3,
        "a b",
        "https://gis.county",
        "gis.county:8000",
        "gis.county/",
        "-\n",
        "a." + "b" * 300,
    ],
)
def test_a_host_that_no_browser_could_ask_for_leaves_no_file(tmp_path: Path, host: str) -> None:
    folder = tmp_path / "tls"
    with pytest.raises(Malformed) as found:
        make_certificates(folder, ["gis.county", host], now=NOW)
    assert found.value.code == "not-a-host"
    assert not folder.exists()


def test_a_key_of_another_kind_is_not_taken_for_ours(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ["gis.county"], now=NOW)
    foreign = ed25519.Ed25519PrivateKey.generate()
    text = foreign.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    files.authority_key.write_bytes(text)
    before = files.server.read_bytes()
    with pytest.raises(Malformed) as found:
        make_certificates(tmp_path, ["gis.county"], now=NOW)
    assert found.value.code == "foreign-authority"
    assert files.server.read_bytes() == before


def test_what_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    """The authority's certificate is written last: a key alone is no authority yet."""
    files = make_certificates(tmp_path, ["gis.county"], now=NOW)
    files.authority.unlink()
    (tmp_path / "server.pem.new").write_bytes(b"half")
    again = make_certificates(tmp_path, ["gis.county"], now=NOW)
    assert handshake(again.server, again.server_key, again.authority, "gis.county") == "TLSv1.3"
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("days", [0, 1, 396, 3649])
def test_both_hold_from_a_day_before_until_their_days_are_over(tmp_path: Path, days: int) -> None:
    files = make_certificates(tmp_path, ["gis.county"], now=NOW)
    at = NOW + timedelta(days=days)
    for file, holds_days in ((files.server, SERVER_DAYS), (files.authority, AUTHORITY_DAYS)):
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        assert begin <= NOW - timedelta(hours=23)
        assert (begin <= at <= end) == (days < holds_days - 1)


def test_two_certificates_never_share_a_number(tmp_path: Path) -> None:
    numbers = set()
    for _ in range(5):
        file = make_certificates(tmp_path, ["gis.county"], now=NOW).server
        numbers.add(x509.load_pem_x509_certificate(file.read_bytes()).serial_number)
    assert len(numbers) == 5
