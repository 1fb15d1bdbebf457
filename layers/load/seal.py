"""Sealing of personal fields: unreadable in a dump, the same bytes for the same key and row."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from grid_boundaries.errors import Refused

KEY_BYTES = 32
NONCE_BYTES = 12


class Sealer:
    """Seals and hashes personal fields with keys derived from one secret.

    The nonce is an HMAC of row, field and value (a synthetic nonce, as in RFC 8452), so that two
    loads of the same data give the same bytes, and no nonce ever serves two plain texts.

    Parameters
    ----------
    key
        At least 32 random bytes, kept outside the database.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise Refused(
                "key-too-short",
                f"密钥至少需要 {KEY_BYTES} 字节",
                f"A sealing key needs at least {KEY_BYTES} bytes",
                given_bytes=len(key),
            )
        self._cipher = AESGCM(_derived(key, b"seal"))
        self._nonce_key = _derived(key, b"nonce")
        self._hash_key = _derived(key, b"look-up")

    def seal(self, field: str, row_id: str, value: str) -> bytes:
        """Return nonce + cipher text + tag, bound to the field and the row it stands in."""
        place = _place(field, row_id)
        plain = value.encode()
        nonce = hmac.digest(self._nonce_key, place + plain, hashlib.sha256)[:NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def open(self, field: str, row_id: str, sealed: bytes) -> str:
        """Return the plain value; `cryptography.exceptions.InvalidTag` if moved or changed."""
        nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return self._cipher.decrypt(nonce, text, _place(field, row_id)).decode()

    def hash(self, field: str, value: str) -> bytes:
        """Return the 32 bytes by which an exact value can be looked up."""
        return hmac.digest(self._hash_key, _place(field, value), hashlib.sha256)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(key, b"gis-service/" + purpose, hashlib.sha256)


def _place(field: str, row_id: str) -> bytes:
    """Return field and row as bytes of which no other pair has the same."""
    name = field.encode()
    return len(name).to_bytes(2) + name + len(row_id.encode()).to_bytes(4) + row_id.encode()
