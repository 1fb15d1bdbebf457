"""What the service refuses, as values: a code, a sentence in Chinese and English, the place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refused(ValueError):  # noqa: N818 - it is a verdict, and the door makes it an answer
    """Input or a request that is not taken; nothing was changed.

    Parameters
    ----------
    code
        Stable kebab-case word that programs may compare, e.g. ``"ring-not-closed"``.
    zh, en
        One sentence each: what is wrong, where, and what to do about it.
    where
        The place of the fault: field, row, vertex, coordinate; plain JSON values only.
    """

    def __init__(self, code: str, zh: str, en: str, **where: Any) -> None:
        super().__init__(en)
        self.code = code
        self.zh = zh
        self.en = en
        self.where: Mapping[str, Any] = where


class Malformed(Refused):
    """The request itself cannot be read: unknown field, broken JSON, a tile outside the pyramid."""


class NotFound(Refused):
    """Nothing of that name exists within the asker's scope."""


class NotAllowed(Refused):
    """The asker is known and may not do this."""


class NotSignedIn(Refused):
    """Nobody is signed in, or the sign-in has run out."""


class Conflict(Refused):
    """Somebody else was first, or the same id came with another body."""


class TooLarge(Refused):
    """More than the limits in the settings allow."""


class Unsupported(Refused):
    """Content of a kind that is not taken, whatever its name says."""


class Unavailable(Refused):
    """The service cannot answer now; the same request may go through later."""
