"""The words for what can be wrong with a row or a file: a code with a sentence in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # the row as text
        "bad-quotes": ("引号不成对，无法分列", "The quotes do not pair, so columns cannot be told"),
        "wrong-column-count": ("列数与表头不符", "Has another number of columns than the header"),
        "not-in-encoding": ("含有不属于所声明编码的字节", "Has bytes outside the stated encoding"),
        "forbidden-character": ("含有空字符（NUL）", "Holds a NUL character"),
        "notes-row": ("表头下的说明行", "A line under the header that explains it"),
        # its values
        "missing-value": ("缺少必填值", "A needed value is missing"),
        "not-a-number": ("不是数字", "Is not a number"),
        "not-a-date": ("不是日期", "Is not a date"),
        "unknown-value": (
            "取值不在对照表中，按空值装载",
            "Not in the table of values; loaded as empty",
        ),
        "no-position": ("没有位置", "Has no position"),
        "duplicate-id": ("编号与前面的行重复", "Has the id of an earlier row"),
        "duplicate-geometry": ("图形与前面的行完全相同", "Has exactly the shape of an earlier row"),
        "value-too-long": ("取值过长", "A value is too long"),
        "broken-properties": ("属性不是一个对象或过多", "The properties are no object or too many"),
        "not-a-feature": ("不是 GeoJSON 要素", "Is no GeoJSON feature"),
        # its geometry
        "no-geometry": ("没有图形", "Has no geometry"),
        "wrong-shape": ("图形类型不符", "Is of another kind of geometry"),
        "not-a-coordinate": ("坐标不是数字对", "A position is not a pair of numbers"),
        "not-finite": ("坐标不是有限数", "A coordinate is not finite"),
        "out-of-range": ("坐标超出经纬度范围", "A coordinate is outside the range of degrees"),
        "looks-swapped": ("经度与纬度似乎颠倒", "Longitude and latitude look swapped"),
        "ring-too-short": ("环少于四个点", "A ring has fewer than four positions"),
        "ring-not-closed": ("环没有闭合", "A ring is not closed"),
        "too-many-vertices": ("顶点过多", "Has too many vertices"),
        "too-intricate": ("边线过于细密，请先简化", "Its outline is too intricate; simplify it"),
        "nested-too-deep": ("图形嵌套过深", "Geometry is nested too deep"),
        "broken-geometry": ("图形数据损坏", "The bytes of the geometry are broken"),
        "invalid-polygon": ("面无效（自相交等）", "The polygon is invalid (crosses itself, …)"),
        "repaired-polygon": ("面无效，已修复", "The polygon was invalid and was repaired"),
        "not-repaired": ("面无效且无法修复", "The polygon is invalid and could not be repaired"),
        "repaired-into-copy": (
            "修复后与另一行完全相同",
            "Repaired, it has exactly the shape of another row",
        ),
        "outside-county": (
            "位置在县域之外太远，应为错误坐标",
            "Lies so far outside that it is wrong",
        ),
        # what is kept and said
        "suspected-shift": (
            "整层点位与建筑、道路系统性错开，疑为偏移坐标系（GCJ-02/BD-09）；请核对坐标系后再用",
            "The points stand off houses and streets as a whole, as in a shifted datum "
            "(GCJ-02, BD-09); check the datum before they are used",
        ),
        "not-counted": (
            "没有人口数（按未统计装载，不作 0）",
            "Has no count; kept as unknown, not 0",
        ),
        "stated-unit-differs": ("所述区划与实际位置不符", "Lies in another unit than the row says"),
        "outside-every-village": (
            "位置不在任何村（社区）界内，计入全县",
            "Lies in no village; counted to the county",
        ),
        "block-outline-disagree": (
            "所在图斑属于另一个村（社区），按官方界线计数",
            "Its block belongs to another village than the official outline it lies in",
        ),
    }
)
