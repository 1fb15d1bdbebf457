"""What is wrong with a field, in words: the kinds of fault that pydantic tells, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "必须填写",
        "extra_forbidden": "没有这个字段，请去掉",
        "literal_error": "只能是 {expected}",
        "enum": "只能是 {expected}",
        "union_tag_invalid": "只能是 {expected_tags}",
        "union_tag_not_found": "缺少 {discriminator}，无法得知是哪一种",
        "int_type": "应为整数",
        "int_parsing": "应为整数",
        "int_from_float": "应为整数",
        "float_type": "应为数字",
        "float_parsing": "应为数字",
        "finite_number": "应为有限的数字",
        "bool_type": "应为 true 或 false",
        "bool_parsing": "应为 true 或 false",
        "greater_than": "应大于 {gt}",
        "greater_than_equal": "不能小于 {ge}",
        "less_than": "应小于 {lt}",
        "less_than_equal": "不能大于 {le}",
        "string_type": "应为文字",
        "string_too_short": "至少 {min_length} 个字符",
        "string_too_long": "最多 {max_length} 个字符",
        "string_pattern_mismatch": "写法不符（{pattern}）",
        "too_short": "至少 {min_length} 项",
        "too_long": "最多 {max_length} 项",
        "list_type": "应为列表",
        "tuple_type": "应为一组数值",
        "dict_type": "应为对象",
        "model_type": "应为对象",
        "model_attributes_type": "应为对象",
        "date_type": "应为日期，如 2026-01-31",
        "date_parsing": "应为日期，如 2026-01-31",
        "date_from_datetime_parsing": "应为日期，如 2026-01-31",
        "date_from_datetime_inexact": "应为日期，如 2026-01-31",
        "datetime_type": "应为时间，如 2026-01-31T08:00:00+08:00",
        "datetime_parsing": "应为时间，如 2026-01-31T08:00:00+08:00",
        "datetime_from_date_parsing": "应为时间，如 2026-01-31T08:00:00+08:00",
        "timezone_aware": "应为带时区的时间，如 2026-01-31T08:00:00+08:00",
    }
)


def said_of(fault: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with a field, in Chinese and English.

    Parameters
    ----------
    fault
        As pydantic tells it: ``type``, and mostly ``msg`` and ``ctx``; a fault of our own has its
        Chinese words in ``ctx`` as ``zh``.

    Examples
    --------
    >>> said_of({"type": "greater_than_equal", "msg": "Input should be at least 1",
    ...          "ctx": {"ge": 1}})
    ('不能小于 1', 'Input should be at least 1')
    """
    kind, given = str(fault["type"]), fault.get("ctx", {})
    zh = given.get("zh") or WORDS.get(kind, kind)
    try:
        zh = str(zh).format_map(given)
    except KeyError:  # told without the bound that it names
        zh = kind
    return zh[:300], str(fault.get("msg", kind))[:300]
