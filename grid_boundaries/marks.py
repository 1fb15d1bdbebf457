"""Marks that no name has: control characters, line breaks, and what turns the direction of text."""

from __future__ import annotations

import re

CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def has_marks(text: str) -> bool:
    """Say whether a text holds a mark that no name has."""
    return CONTROLS.search(text) is not None


def without_marks(text: str) -> str:
    """Return a text on one line without such marks; a line break or tab becomes a space.

    Examples
    --------
    >>> without_marks("\\u202egnp.城关\\n一格")
    'gnp.城关 一格'
    """
    spaced = re.sub("[\t\n\v\f\r\x85\u2028\u2029]+", " ", text)
    return CONTROLS.sub("", spaced)
