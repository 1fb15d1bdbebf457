"""JSON as it comes in: read strictly, so that two readers never see two things in one body."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from typing import Any

from grid_boundaries.errors import Malformed, TooLarge

DIGITS_LIMIT = 30
NAMES_LIMIT = 1000  # of one object; ours have a dozen
JSON_LIMIT_BYTES = 8 << 20  # read, it takes twenty times as much memory


def read_json(body: bytes) -> Any:
    """Return the value of a JSON body in UTF-8.

    Raises
    ------
    Malformed
        Not UTF-8 or with a byte-order mark, not JSON, NaN or Infinity, a name twice in one
        object or over 1,000 of them, a whole number of over 30 digits, or nested too deeply.
    TooLarge
        Over 8 MB.
    """
    if len(body) > JSON_LIMIT_BYTES:
        raise TooLarge(
            "json-too-large",
            f"JSON 超过 {JSON_LIMIT_BYTES} 字节，请分批发送",
            f"The JSON is over {JSON_LIMIT_BYTES} bytes; send it in parts",
            limit_bytes=JSON_LIMIT_BYTES,
        )
    if body.startswith(codecs.BOM_UTF8):
        raise _malformed("byte-order-mark", "开头有 BOM", "it begins with a byte-order mark")
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_int=_short_int,
        )
    except UnicodeDecodeError as error:
        raise _malformed("not-utf-8", "不是 UTF-8", "it is not UTF-8", byte=error.start) from None
    except json.JSONDecodeError as error:
        raise _malformed("not-json", "语法有误", "its syntax is wrong", char=error.pos) from None
    except RecursionError:
        raise _malformed("too-deep", "嵌套过深", "it is nested too deeply") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > NAMES_LIMIT:
        raise _malformed("too-many-names", "字段过多", "an object has too many names")
    whole = dict(pairs)
    if len(whole) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise _malformed("name-twice", "有重复的字段", "a name comes twice", field=twice[:100])
    return whole


def _no_constant(word: str) -> Any:
    raise _malformed("not-a-number", f"有 {word}", f"it holds {word}")


def _short_int(digits: str) -> int:
    if len(digits) > DIGITS_LIMIT:
        raise _malformed("number-too-long", "有过长的整数", "it holds a number of too many digits")
    return int(digits)


def _malformed(code: str, zh: str, en: str, **where: Any) -> Malformed:
    return Malformed(code, f"请求的 JSON 无法读懂：{zh}", f"The JSON cannot be read: {en}", **where)
