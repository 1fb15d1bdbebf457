"""Numbers of persons in free text: identity cards (GB 11643) and mobile phones, hidden."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

HIDDEN = "******"
CHECKS, WEIGHTS = "10X98765432", (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
PROVINCES = frozenset(
    map(str, (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55),
              *range(61, 66), 71, 81, 82, 83))
)  # fmt: skip

# eleven digits with little between them: in other texts there is nothing to look for
_MANY = re.compile(r"(?:\d\D{0,3}){10}\d")
_ALONE, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_BY = r"[ \-]{0,2}"  # written between digits
_COUNTRY = rf"(?:(?:\((?:\+|00)?86\)|(?:\+|00)?86){_BY})?"
_DAY = r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_NO_AMOUNT = r"(?!\.[0-9]|元|万元|亿|㎡|平方|亩|吨|%)"

Sure = Callable[[str], bool]


class _Plain(dict[int, str]):
    """Each character as it counts here: digits, spaces and dashes of every kind as the plain one.

    One for one, so that a place in the folded text is the same place in the text.
    """

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        wide = unicodedata.normalize("NFKC", letter)
        if letter.isdecimal():
            found = str(unicodedata.decimal(letter))
        elif letter in "\n\r":
            found = letter
        elif letter.isspace() or unicodedata.category(letter) == "Cf":
            found = " "
        elif unicodedata.category(letter) == "Pd" or letter == "\u2212":
            found = "-"
        else:
            found = wide if len(wide) == 1 and wide.isascii() else letter
        self[code] = found
        return found


_PLAIN = _Plain()


def without_personal_numbers(text: str) -> str:
    """Return the text with each identity-card and mobile number replaced by ``******``.

    Found are cards of 18 characters and old ones of 15, and mobile phones with or without the
    country's number; with spaces or dashes between, in digits of any script. Codes of units (12
    digits), grids (15), enterprises (18, with letters) and devices (20), dates and amounts stay.

    A grid code may read like the card of somebody born in the twenties, forties or fifties, for
    it holds the number of a town where a card holds a year: of these, one that ends on a number
    below 100 is taken for a grid.

    Examples
    --------
    >>> without_personal_numbers("网格 610923100001001，电话 +86 139-1234-5678")
    '网格 610923100001001，电话 ******'
    """
    if _MANY.search(text) is None:
        return text
    folded = text.translate(_PLAIN)
    shown, at = [], 0
    for start, end in _spans(folded):
        shown += [text[at:start], HIDDEN]
        at = end
    return "".join([*shown, text[at:]])


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where numbers of persons stand, those that overlap as one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_found(text)):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _found(text: str) -> Iterator[tuple[int, int]]:
    for pattern, is_sure in _NUMBERS:
        for match in pattern.finditer(text):
            if is_sure(re.sub(r"[^0-9X]", "", match[1].upper())):
                yield match.span(1)


def _always(_number: str) -> bool:
    return True


def _is_card(number: str) -> bool:
    """Say whether 18 characters have a day of birth and the right check character."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True))
    return re.fullmatch(_DAY, number[6:14]) is not None and CHECKS[total % 11] == number[17]


def _is_old_card(number: str) -> bool:
    """Say whether 15 digits have a province and a day of birth, and are no code of a grid."""
    if number[:2] not in PROVINCES or re.fullmatch(_DAY, f"19{number[6:12]}") is None:
        return False
    year, last = int(number[6:8]), int(number[12:])
    # towns are numbered from 0, 100, 200, 400 and 500: the first two digits stand like a year
    return year >= 60 or 30 <= year < 40 or (year >= 20 and last >= 100)


def _is_phone(number: str) -> bool:
    """Say whether the digits after the first three are no date: ``151 20240131`` is a room's."""
    return re.fullmatch(_DAY, number[-8:]) is None


def _numbers() -> Iterator[tuple[re.Pattern[str], Sure]]:
    for number, is_sure in (
        (r"[1-9][0-9]{16}[0-9Xx]", _always),
        (rf"[1-9](?:{_BY}[0-9]){{16}}{_BY}[0-9Xx]", _is_card),
        (rf"[1-9][0-9]{{5}}{_BY}[0-9]{{6}}{_BY}[0-9]{{3}}", _is_old_card),
        (rf"{_COUNTRY}1[3-9][0-9]{{9}}{_NO_AMOUNT}", _always),
        (rf"{_COUNTRY}1[3-9][0-9](?:[ .\-]{{1,2}}[0-9]{{4}}){{2}}{_NO_AMOUNT}", _always),
        (rf"{_COUNTRY}1[3-9][0-9][ \-]{{1,2}}[0-9]{{3}}[ \-]{{1,2}}[0-9]{{5}}", _always),
        (rf"{_COUNTRY}1[3-9][0-9][ \-]{{1,2}}[0-9]{{8}}{_NO_AMOUNT}", _is_phone),
        (rf"{_COUNTRY}1[3-9][0-9]{{2}} {{1,2}}[0-9]{{3}} {{1,2}}[0-9]{{4}}", _always),
        (r"1(?:[ \-][0-9]){10}(?![ \-][0-9])", _always),
    ):
        # within a look-ahead, so that a number that is none hides no other one
        yield re.compile(f"{_ALONE}(?=({number}){_END})"), is_sure


_NUMBERS = tuple(_numbers())
