"""What is asked about new sites, as it comes over the wire."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gis_service.plan_requests import Asked, Id, Lat, Lon

MOST_POSTS_GIVEN = 5_000
Word = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
Seconds = Annotated[float, Field(gt=0, le=20, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=500)]


class NextSitesAsked(Asked):
    """The next cameras of a unit, of the asker's area where none is named.

    Parameters
    ----------
    at
        Where they may hang: on posts that stand (of cameras and devices, or those given), on
        façades, at street junctions.
    posts
        Longitude and latitude of the posts, in place of those that stand.
    bearings
        How many bearings a post offers, evenly round from north.
    weigh
        What counts: people by the houses they live in, key places, or open ground in m².
    cell_m
        Of open ground: the side of a cell.
    """

    unit: Id | None = None
    sites: Count
    at: Literal["posts", "facades", "junctions"] = "posts"
    posts: Annotated[list[tuple[Lon, Lat]], Field(max_length=MOST_POSTS_GIVEN)] | None = None
    bearings: Annotated[int, Field(ge=1, le=16)] = 8
    range_m: Annotated[float, Field(gt=0, le=500, allow_inf_nan=False)] = 50.0
    field_of_view_deg: Annotated[float, Field(gt=0, le=360, allow_inf_nan=False)] = 90.0
    per_post: Annotated[int, Field(ge=1, le=16)] = 2
    weigh: Literal["people", "key_places", "ground"] = "people"
    cell_m: Annotated[float, Field(ge=5, le=100, allow_inf_nan=False)] = 10.0
    within_s: Seconds = 10.0

    @model_validator(mode="after")
    def posts_are_posts(self) -> Self:
        """Take posts only where sites are on posts."""
        if self.posts is not None and self.at != "posts":
            raise PydanticCustomError(
                "posts-elsewhere",
                "give posts only with at: posts",
                {"zh": "只有 at 为 posts 时才能给出 posts"},
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
