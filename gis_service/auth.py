"""Who is asking: signed tokens, in a cookie for browsers and as Bearer for programs."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import HTTPConnection

from gis_service.listening import is_loopback as is_loopback_host
from grid_boundaries.errors import Malformed, NotAllowed, NotSignedIn

COOKIE = "gis_session"
KEY_FILE = "sign-in.key"
KEY_BYTES = 32
TOKEN_LIMIT = 512  # characters; ours are about 60


@dataclass(frozen=True)
class SignedIn:
    """The name that a valid token carries, and when it runs out."""

    actor: str
    until: datetime


class Signer:
    """Makes and reads sign-in tokens with one secret key.

    Parameters
    ----------
    key
        At least 32 random bytes, see `sign_in_key`.
    hours
        How long a token holds.
    """

    def __init__(self, key: bytes, hours: float) -> None:
        self._serializer = URLSafeTimedSerializer(key, salt="sign-in", signer_kwargs=_SHA256)
        self._holds = timedelta(hours=hours)

    def token(self, actor: str) -> str:
        """Return a fresh token for an actor."""
        text = self._serializer.dumps(actor)
        return text if isinstance(text, str) else text.decode()

    def read(self, token: str) -> SignedIn:
        """Return who a token is for.

        Raises
        ------
        NotSignedIn
            Not ours, altered, or run out; the three are not told apart.
        """
        if len(token) > TOKEN_LIMIT or not token.isascii():
            raise _not_signed_in()
        try:
            actor, at = self._serializer.loads(
                token, max_age=int(self._holds.total_seconds()), return_timestamp=True
            )
        except BadSignature:
            raise _not_signed_in() from None
        return SignedIn(str(actor), at.astimezone(UTC) + self._holds)


_SHA256 = {"digest_method": hashlib.sha256}


def sign_in_key(data_dir: Path) -> bytes:
    """Return the deployment's key, made at the first call in a file that only its owner reads.

    Several processes may call at once: the first file to get its name is everybody's.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / f"{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key is read below
        finally:
            draft.unlink()
    return path.read_bytes()


def token_of(connection: HTTPConnection) -> str:
    """Return the token that a request brings; a Bearer header goes before the cookie.

    Raises
    ------
    NotSignedIn
        It brings none.
    """
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    token = bearer.strip() if scheme.lower() == "bearer" else connection.cookies.get(COOKIE, "")
    if not token:
        raise _not_signed_in()
    return token


def check_loopback(connection: HTTPConnection) -> None:
    """Refuse a caller that is not on this machine.

    Raises
    ------
    NotAllowed
        The peer's address is not a loopback one. Forwarding headers are not believed.
    """
    if not is_loopback(connection):
        raise NotAllowed(
            "loopback-only",
            "登录链接只能在服务所在的机器上使用",
            "Sign-in links work only on the machine that runs the service",
        )


def is_loopback(connection: HTTPConnection) -> bool:
    """Say whether the peer is on this machine and asks for this machine by name or address.

    The socket's address alone would not do: a foreign name can be made to lead here in a browser
    on this machine, and a proxy on this machine passes on the name that others ask for.
    """
    peer = connection.client.host if connection.client else ""
    return is_loopback_host(peer) and is_loopback_host(_host_asked_for(connection))


def _host_asked_for(connection: HTTPConnection) -> str:
    host = connection.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name.removeprefix("[").removesuffix("]").lower()


def local_path(address: str) -> str:
    """Return an address to go on to after signing in, if it stays on this server.

    Raises
    ------
    Malformed
        It names another host, or is no path: ``//evil``, ``/\\evil``, ``https://…``.
    """
    plain = address.isprintable() and "\\" not in address
    if not (plain and address.startswith("/") and not address.startswith("//")):
        raise Malformed(
            "bad-next", "跳转地址必须是本站路径", "The address to go on to must be a path here"
        )
    return address


def _not_signed_in() -> NotSignedIn:
    return NotSignedIn(
        "not-signed-in", "尚未登录或登录已过期；请重新登录", "Not signed in, or no longer: sign in"
    )
