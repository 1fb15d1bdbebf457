"""In which encoding text really is: what is stated of it, held against its bytes."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from grid_boundaries.errors import Refused

UTF8 = "utf-8"
# GB18030 and Big5 share most byte pairs, so traditional text must be stated
GUESSES = (UTF8, "gb18030", "cp950")
SAMPLE_BYTES = 200_000
# how code pages of Chinese Windows are written
NUMBERS = {"936": "gbk", "54936": "gb18030", "65001": UTF8, "950": "cp950", "utf-8-sig": UTF8}
# blocks of lead bytes (first, last) with the everyday characters, the signs and the wide letters
EVERYDAY = {"gb2312": ((0xA1, 0xA3), (0xB0, 0xD7)), "cp950": ((0xA1, 0xA2), (0xA4, 0xC6))}


@dataclass(frozen=True)
class TextEncoding:
    """The encoding of a file's text.

    Parameters
    ----------
    stated
        By the file (.cpg) or by whoever sends it; empty where nobody says.
    used
        Name that Python and GDAL know.
    reads_all
        Whether every byte can be read in it.
    """

    stated: str
    used: str
    reads_all: bool = True

    @property
    def is_wrongly_stated(self) -> bool:
        """Whether the text was read in another encoding than is stated."""
        return bool(self.stated) and codec(self.stated) != codec(self.used)

    @property
    def is_odd(self) -> bool:
        """Whether whoever sends the text should look at it: stated wrongly, or not at all."""
        return self.is_wrongly_stated or (not self.stated and self.used != UTF8)

    @property
    def sentences(self) -> tuple[str, str]:
        """In which encoding the text was read, in Chinese and English."""
        return (
            f"属性文字声明为 {self.stated or '（无）'}，按 {self.used} 读取",
            f"The text is declared {self.stated or '(nothing)'} and was read as {self.used}",
        )


def text_encoding(pieces: Sequence[bytes], stated: str = "", *, cut_bytes: int = 0) -> TextEncoding:
    """Return in which encoding pieces of text are.

    The stated one is tried first, then UTF-8, GB18030 and Big5; the first that reads all of it
    is taken. Two are not believed: UTF-8 stated as something else, where its reading has more
    everyday Chinese; and a guess that reads every byte but makes less sense of them than the
    stated encoding does with a few bytes missing.

    Parameters
    ----------
    stated
        What is no encoding of text counts for nothing.
    cut_bytes
        How much of a character the end of each piece may lack.
    """
    whole = [piece for piece in pieces if not piece.isascii()]
    tried = list(dict.fromkeys(name for name in (codec(stated), *GUESSES) if name))
    first = tried[0]
    if pieces and pieces[0].startswith(codecs.BOM_UTF8):
        tried = [UTF8]
    if not whole:
        return TextEncoding(stated, tried[0])
    reading = [name for name in tried if _reads_all(whole, name, cut_bytes)]
    if not reading:
        return TextEncoding(stated, first, reads_all=False)
    found = reading[0]
    if found != first and _everyday_share(whole, first) > _everyday_share(whole, found):
        return TextEncoding(stated, first, reads_all=False)
    return TextEncoding(stated, _doubted(whole, found, reading))


def _reads_all(pieces: Sequence[bytes], name: str, cut_bytes: int) -> bool:
    return all(_is_read(one, name, cut_bytes) for one in pieces)


def codec(name: str) -> str | None:
    """Return the name by which Python knows an encoding of text; None for what is none.

    Examples
    --------
    >>> codec("CP936"), codec("65001"), codec("zlib"), codec("")
    ('gbk', 'utf-8', None, None)
    """
    plain = name.lower().strip().removeprefix("cp").removeprefix("ansi ").strip()
    try:
        found = codecs.lookup(NUMBERS.get(plain, name.strip())).name
        b"aaaa".decode(found)
    except (LookupError, ValueError):  # no such name; a name with a NUL; bytes to bytes
        return None
    return NUMBERS.get(found, found)


def refuse_unknown(name: str) -> None:
    """Refuse an encoding that somebody asks for and nobody knows.

    Raises
    ------
    Refused
        It is no encoding of text.
    """
    if name and codec(name) is None:
        raise Refused(
            "unknown-encoding",
            f"没有名为 {name[:40]} 的编码",
            f"There is no encoding {name[:40]}",
            encoding=name[:40],
        )


def _doubted(pieces: Sequence[bytes], found: str, reading: Sequence[str]) -> str:
    """Return UTF-8 where what is read otherwise makes more sense so."""
    if found == UTF8 or UTF8 not in reading:
        return found
    share = _everyday_share(pieces, UTF8)
    return UTF8 if share >= _everyday_share(pieces, found) else found


def _is_read(piece: bytes, name: str, cut_bytes: int) -> bool:
    # the last field of a full cell may end within a character
    for cut in range(cut_bytes + 1):
        try:
            piece[: len(piece) - cut].decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(piece) - cut_bytes - 1:
                return False
        except UnicodeError:  # a codec of domain names
            return False
        else:
            return True
    return False


def _everyday_share(pieces: Sequence[bytes], name: str) -> float:
    """Return which part of the characters beyond ASCII are everyday ones of Chinese."""
    try:
        text = b"\n".join(pieces)[:SAMPLE_BYTES].decode(name, errors="replace")
    except UnicodeError:
        return 0.0
    beyond = [letter for letter in text if letter > "\x7f"]
    return sum(letter in _everyday() for letter in beyond) / max(len(beyond), 1)


@cache
def _everyday() -> frozenset[str]:
    """Return the characters of the first level of GB 2312 and of Big5, with their signs."""
    found: set[str] = set()
    for name, blocks in EVERYDAY.items():
        for first, last in blocks:
            pairs = (bytes((lead, trail)) for lead in range(first, last + 1)
                     for trail in range(0x40, 0xFF))  # fmt: skip
            found.update(pair.decode(name, errors="ignore")[-1:] for pair in pairs)
    return frozenset(letter for letter in found if letter > "\x7f")
