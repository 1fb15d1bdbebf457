"""The words of the interface, by language and key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

LANGUAGES = ("zh", "en")


@lru_cache(maxsize=len(LANGUAGES))
def texts(language: str) -> Mapping[str, str]:
    """Return every text of a language; FileNotFoundError for a language we do not speak."""
    file = Path(__file__).with_name(f"texts.{language}.json")
    return MappingProxyType(json.loads(file.read_text("utf-8")))


def text(language: str, key: str) -> str:
    """Return one text; KeyError for a key that nobody wrote."""
    return texts(language)[key]
