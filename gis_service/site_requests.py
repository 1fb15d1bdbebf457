"""What is asked about new sites, as it comes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gis_service.plan_requests import Asked, Id, Lat, Lon

MOST_POSTS_GIVEN = 5_000
MOST_SITES = 500
Word = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
Seconds = Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=MOST_SITES)]
Money = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
PostKind = Literal["poles", "facades", "junctions"]
POLES: PostKind = "poles"


class NextSitesAsked(Asked):
    """The next cameras of a unit or grid, of the asker's area where none is named.

    How many is said in one of three ways: as a number, by what there is to spend, or as few as
    bring a share of all that counts into sight.

    Parameters
    ----------
    budget_yuan, each_yuan
        To spend, and what a camera costs with its post.
    target_share
        Of the people, key places or open ground of the unit.
    at
        Where they may hang: on poles that stand (of cameras and devices), on façades, at street
        junctions.
    posts
        Longitude and latitude of the poles, in place of those that stand.
    bearings
        How many bearings a post offers, evenly round from north.
    weigh
        What counts: people by the houses they live in, key places, or open ground in m².
    cell_m
        Of open ground: the side of a cell.
    within_s
        Seconds for the choice and what goes before it.
    """

    unit: Id | None = None
    sites: Count | None = None
    budget_yuan: Money | None = None
    each_yuan: Money | None = None
    target_share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    at: Annotated[list[PostKind], Field(min_length=1, max_length=3)] = Field(
        default_factory=lambda: [POLES]
    )
    posts: Annotated[list[tuple[Lon, Lat]], Field(max_length=MOST_POSTS_GIVEN)] | None = None
    bearings: Annotated[int, Field(ge=1, le=16)] = 8
    range_m: Annotated[float, Field(gt=0, le=500, allow_inf_nan=False)] = 50.0
    field_of_view_deg: Annotated[float, Field(gt=0, le=360, allow_inf_nan=False)] = 90.0
    per_post: Annotated[int, Field(ge=1, le=16)] = 2
    weigh: Literal["people", "key_places", "ground"] = "people"
    cell_m: Annotated[float, Field(ge=5, le=100, allow_inf_nan=False)] = 10.0
    within_s: Seconds = 10.0

    @property
    def most(self) -> int:
        """How many cameras there may be."""
        if self.sites is not None:
            return self.sites
        if self.budget_yuan is None or self.each_yuan is None:
            return MOST_SITES
        return min(int(self.budget_yuan // self.each_yuan), MOST_SITES)

    @model_validator(mode="after")
    def posts_are_poles(self) -> Self:
        """Take given posts only where cameras may hang on poles."""
        if self.posts is not None and "poles" not in self.at:
            raise PydanticCustomError(
                "posts-elsewhere",
                "give posts only where at has poles",
                {"zh": "只有 at 含 poles 时才能给出 posts"},
            )
        return self

    @model_validator(mode="after")
    def one_number(self) -> Self:
        """Take one of the ways to say how many, a budget with what one costs, for one at least."""
        ways = (self.sites, self.budget_yuan, self.target_share)
        if sum(way is not None for way in ways) != 1:
            raise PydanticCustomError(
                "one-number",
                "give one of sites, budget_yuan and target_share",
                {"zh": "sites、budget_yuan、target_share 须且只能给一个"},
            )
        if (self.budget_yuan is None) != (self.each_yuan is None):
            raise PydanticCustomError(
                "no-price",
                "budget_yuan and each_yuan go together",
                {"zh": "budget_yuan 与 each_yuan 须同时给出"},
            )
        if self.most == 0:
            raise PydanticCustomError(
                "budget-too-small",
                "the budget does not pay for one camera",
                {"zh": "预算不够一台"},
            )
        return self


class ServicePostsAsked(Asked):
    """New police rooms, AEDs or other posts of a unit.

    Parameters
    ----------
    goal
        ``nearest``: ways together shortest; ``worst``: the longest way shortest; both for
        `sites` new posts. ``all``: as few as bring everybody within `limit_minutes`.
    existing
        Kinds of places, devices and resources that serve already.
    """

    unit: Id | None = None
    goal: Literal["nearest", "worst", "all"]
    sites: Count | None = None
    limit_minutes: Annotated[float, Field(gt=0, le=240, allow_inf_nan=False)] | None = None
    existing: Annotated[list[Word], Field(max_length=20)] = Field(default_factory=list)
    within_s: Seconds = 10.0

    @model_validator(mode="after")
    def goal_has_its_number(self) -> Self:
        """Take posts with a number of them, and everybody with a limit."""
        if self.goal == "all" and self.limit_minutes is None:
            raise PydanticCustomError(
                "no-limit",
                "the goal all needs limit_minutes",
                {"zh": "目标 all 须给出 limit_minutes"},
            )
        if self.goal != "all" and self.sites is None:
            raise PydanticCustomError(
                "no-number", "this goal needs sites", {"zh": "该目标须给出 sites"}
            )
        return self
