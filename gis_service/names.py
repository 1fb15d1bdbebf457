"""Names as people type them and as files bear them: one line, no marks, no numbers of persons."""

from __future__ import annotations

from pathlib import PurePosixPath

from pydantic_core import PydanticCustomError

from gis_service.personal_numbers import without_personal_numbers
from grid_boundaries.marks import has_marks, without_marks

MOST_CHARACTERS = 200


def one_line(text: str) -> str:
    """Return a title or name that is one line of text and has no marks that turn its direction.

    What somebody typed is refused, not changed.
    """
    if has_marks(text):
        raise PydanticCustomError(
            "not-one-line",
            "control characters, line breaks and marks of direction are not taken",
            {"zh": "不能含有控制字符、换行和改变书写方向的字符"},
        )
    return text


def file_title(name: str) -> str:
    """Return the name of a file as a title; what no title has is taken out of it.

    Nobody typed it here, and it need not be the sender's own. Never a path.

    Examples
    --------
    >>> file_title("C:\\\\图\\\\\\u202e张 13912345678.zip")
    '张 ******.zip'
    """
    plain = PurePosixPath(without_marks(name).replace("\\", "/")).name
    return without_personal_numbers(plain)[-MOST_CHARACTERS:]
