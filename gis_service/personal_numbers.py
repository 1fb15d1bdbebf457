"""Numbers of persons in free text: identity cards (GB 11643) and mobile phones, hidden."""

from __future__ import annotations

import re

HIDDEN = "******"
# eighteen characters of an identity card, or eleven digits of a mobile phone, standing alone;
# in between a phone is often written with spaces or hyphens
_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])(?:[1-9][0-9]{16}[0-9Xx]|1[3-9][0-9](?:[ -]?[0-9]{4}){2})(?![0-9A-Za-z])"
)


def without_personal_numbers(text: str) -> str:
    """Return the text with each identity-card and mobile number replaced by ``******``.

    Codes of units (12 digits), grids (15) and devices (20) stay.

    Examples
    --------
    >>> without_personal_numbers("网格 610923100001001，电话 13912345678")
    '网格 610923100001001，电话 ******'
    """
    return _NUMBER.sub(HIDDEN, text)
