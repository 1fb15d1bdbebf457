"""The county's own certificate authority, and the server certificates it signs.

Browsers give position and offline pages to https only, and a county's network has no public name
that a public authority would sign.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from grid_boundaries.errors import Malformed

AUTHORITY_DAYS = 3650
SERVER_DAYS = 397  # phones refuse server certificates of more than 398 days
# letters, digits and hyphens between dots, as certificates carry names (RFC 5280, 4.2.1.6)
_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.?")


@dataclass(frozen=True)
class Files:
    """Where the four PEM files are."""

    authority: Path
    authority_key: Path
    server: Path
    server_key: Path


def certificate_files(folder: Path) -> Files:
    """Return the places of the PEM files in a folder."""
    names = ("county-ca.pem", "county-ca.key", "server.pem", "server.key")
    return Files(*(folder / name for name in names))


def make_certificates(folder: Path, hosts: Iterable[str], *, now: datetime) -> Files:
    """Make the authority when there is none, and sign a new server certificate with it.

    Parameters
    ----------
    folder
        Made when missing; keys are readable by their owner only.
    hosts
        Names and addresses by which browsers will reach the server.
    now
        Aware; certificates hold from a day before it, since clocks differ.

    Raises
    ------
    Malformed
        No host, or one that is neither a name nor an address.
    """
    alternatives = [_alternative(host) for host in hosts]
    if not alternatives:
        raise Malformed(
            "no-host", "请给出至少一个主机名或地址", "Give at least one host or address"
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = certificate_files(folder)
    if not files.authority.exists():
        _make_authority(files, now)
    _make_server(files, alternatives, now)
    return files


def fingerprint(certificate: Path) -> str:
    """Return the SHA-256 that a person compares before trusting a certificate."""
    digest = x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        encoded = host.encode("idna").decode("ascii")
    except UnicodeError:
        encoded = ""
    if not _NAME.fullmatch(encoded):
        raise Malformed(
            "not-a-host", f"“{host}”不是主机名或地址", f"“{host}” is no host name or address"
        )
    return x509.DNSName(encoded)


def _make_authority(files: Files, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("GIS county authority")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    # the certificate last: it is what says that an authority exists
    _write_key(files.authority_key, key)
    _write(files.authority, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(files: Files, alternatives: list[x509.GeneralName], now: datetime) -> None:
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    signer = _signer(files.authority_key)
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    certificate = (
        _builder(_name("GIS server"), authority.subject, key.public_key(), now, SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(signer, hashes.SHA256())
    )
    _write_key(files.server_key, key)
    _write(files.server, certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _signer(file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the authority's key; one that this service did not make is refused."""
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Malformed(
            "foreign-authority",
            f"{file} 不是本服务建立的密钥",
            f"{file} is not a key made by this service",
        )
    return key


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days - 1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, text, 0o600)


def _write(path: Path, text: bytes, mode: int) -> None:
    draft = path.with_suffix(path.suffix + ".new")
    draft.touch(mode=mode)
    draft.chmod(mode)
    draft.write_bytes(text)
    draft.replace(path)
