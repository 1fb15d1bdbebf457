"""What became of each item that was sent in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grid_boundaries.errors import Conflict, Refused

Status = Literal["stored", "already", "rejected"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What became of one item; `refused` says why it was rejected."""

    id: str | None
    status: Status
    refused: Refused | None = None

    @property
    def wire(self) -> Mapping[str, Any]:
        """The verdict as it is answered."""
        plain: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.refused is not None:
            found = self.refused
            plain["problem"] = {
                "code": found.code, "zh": found.zh, "en": found.en, "where": dict(found.where)
            }  # fmt: skip
        return plain


def verdicts(
    items: Sequence[Any],
    outcomes: Sequence[Row | Refused],
    new: Iterable[str],
    digests: Mapping[str, str],
) -> list[Verdict]:
    """Return one verdict an item, in their order.

    Parameters
    ----------
    outcomes
        What each item became: a row, or why it was refused.
    new
        Ids of the rows that were not there before; of two items with one id the first is new.
    digests
        The digest of the body that each id came with first.
    """
    unclaimed = set(new)
    found: list[Verdict] = []
    for item, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, Refused):
            found.append(Verdict(_id_of(item), "rejected", outcome))
            continue
        found.append(_verdict(outcome, unclaimed, digests))
        unclaimed.discard(outcome["id"])
    return found


def _verdict(row: Row, unclaimed: set[str], digests: Mapping[str, str]) -> Verdict:
    key = row["id"]
    if digests.get(key) != row["body_digest"]:
        return Verdict(key, "rejected", _other_body(key))
    return Verdict(key, "stored" if key in unclaimed else "already")


def _id_of(item: Any) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found[:64].encode("utf-8", "replace").decode() if isinstance(found, str) else None


def _other_body(key: str) -> Conflict:
    return Conflict(
        "id-taken",
        f"编号 {key} 已有另一份内容；请换新编号",
        f"The id {key} came with another body before; use a new id",
        id=key,
    )
