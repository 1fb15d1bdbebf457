"""Size rules of grids as data: how many people or households, where, on which population basis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

from grid_boundaries.errors import Refused

Band = Literal["under", "within", "over"]
BASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "present": ("实有人口", "present population"),
        "registered": ("户籍人口", "registered population"),
        "usual": ("常住人口", "usual population"),
    }
)
MEASURES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"people": ("人", "people"), "households": ("户", "households")}
)


@dataclass(frozen=True)
class SizeRule:
    """How large a grid should be.

    Parameters
    ----------
    measure
        "people" or "households".
    at_least, at_most
        Both ends belong to the band.
    """

    name: str
    zh: str
    en: str
    measure: str
    at_least: int
    at_most: int

    def band(self, count: float) -> Band:
        """Say on which side of the band a count lies."""
        if count < self.at_least:
            return "under"
        return "over" if count > self.at_most else "within"

    def says(self, basis: str) -> tuple[str, str]:
        """Return the rule as a Chinese and an English phrase with its population basis."""
        zh, en = MEASURES[self.measure]
        basis_zh, basis_en = BASES[basis]
        return (
            f"{self.zh} {self.at_least}–{self.at_most} {zh}（{basis_zh}）",
            f"{self.en}: {self.at_least}–{self.at_most} {en} ({basis_en})",
        )

    @property
    def wire(self) -> dict[str, Any]:
        """The rule as plain JSON values."""
        return asdict(self)


# 50 and 80 households with a tolerance of 40 %, as the county's division plan words it
RULES: Mapping[str, SizeRule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            SizeRule("city", "城市网格", "City grid", "people", 1_000, 2_000),
            SizeRule("market_town", "县城和集镇网格", "Market-town grid", "households", 48, 112),
            SizeRule("village", "农村网格", "Village grid", "households", 30, 70),
            SizeRule("households_300_500", "社区网格", "Community grid", "households", 300, 500),
        )
    }
)
DEFAULT_RULES: Mapping[str, SizeRule] = MappingProxyType(
    {setting: RULES[setting] for setting in ("city", "market_town", "village")}
)


def custom(measure: str, at_least: int, at_most: int) -> SizeRule:
    """Return a rule of the planner's own.

    Raises
    ------
    Refused
        The measure is unknown, or the band is empty or reaches below zero.
    """
    if measure not in MEASURES or not 0 <= at_least <= at_most:
        raise Refused(
            "bad-size-rule",
            f"规模标准有误：{measure} {at_least}–{at_most}；下限不得大于上限",
            f"The size rule is wrong: {measure} {at_least}–{at_most}; the least comes first",
            measure=measure,
            at_least=at_least,
            at_most=at_most,
        )
    return SizeRule("custom", "自定标准", "Custom rule", measure, at_least, at_most)


def rule_from(wire: str | Mapping[str, Any]) -> SizeRule:
    """Return a rule by its name, or a custom one from its measure and band.

    Raises
    ------
    Refused
        There is no rule of that name, or `custom` refuses the band.
    """
    if not isinstance(wire, str):
        if wire.get("name") in RULES:
            return RULES[str(wire["name"])]
        return custom(str(wire.get("measure")), int(wire["at_least"]), int(wire["at_most"]))
    if wire not in RULES:
        raise Refused(
            "no-such-rule",
            f"没有规模标准“{wire}”；可选：{'、'.join(RULES)}",
            f"There is no size rule “{wire}”; there are {', '.join(RULES)}",
            rule=wire[:40],
        )
    return RULES[wire]


def rules_from(wire: Mapping[str, str | Mapping[str, Any]]) -> dict[str, SizeRule]:
    """Return the rule of each setting: the defaults, with those given in their place.

    Raises
    ------
    Refused
        As `rule_from`; a setting that no grid has.
    """
    unknown = sorted(set(wire) - set(DEFAULT_RULES))
    if unknown:
        raise Refused(
            "no-such-setting",
            f"没有网格类别“{unknown[0]}”；可选：{'、'.join(DEFAULT_RULES)}",
            f"There is no setting “{unknown[0]}”; there are {', '.join(DEFAULT_RULES)}",
            setting=unknown[0][:40],
        )
    return {**DEFAULT_RULES, **{setting: rule_from(rule) for setting, rule in wire.items()}}
