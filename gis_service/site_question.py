"""The question of new sites: all that the choice is made of, read at once, plain to be sent on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from scipy.sparse import csr_array
from sqlalchemy import Connection

from gis_service.asked_area import AskedArea
from gis_service.site_requests import NextSitesAsked
from grid_boundaries.errors import Refused
from grid_boundaries.view import View
from layers.coverage.camera_sight import CameraSight
from layers.coverage.figures import assumed_values, is_built, is_working
from layers.coverage.next_sites import Flags, Floats, Whole
from layers.coverage.reach_figures import Walked
from layers.coverage.site_inputs import (
    SiteGround,
    facade_posts,
    given_posts,
    is_within,
    junction_posts,
    once,
    site_ground,
    stored_posts,
)
from layers.read import County


@dataclass(frozen=True)
class ToBeSeen:
    """Things that count when they are seen.

    Parameters
    ----------
    weights
        Of each shape.
    sees
        Which of the standing cameras sees which; who does not work sees nothing.
    """

    shapes: GeoSeries
    weights: Floats
    sees: csr_array


@dataclass(frozen=True)
class SiteQuestion:
    """What the next sites of an area are chosen from; metres.

    Parameters
    ----------
    posts
        Where cameras may hang, with the ``kind`` of post.
    standing, views
        Cameras out of doors, and what each sees; an empty area where it does not work.
    assumed
        What is not known of the standing cameras, by name.
    """

    asked: NextSitesAsked
    ground: SiteGround
    posts: GeoDataFrame
    people: ToBeSeen
    key_places: ToBeSeen
    standing: GeoSeries
    views: GeoSeries
    assumed: tuple[str, ...]
    metric_srid: int


def site_question(
    connection: Connection,
    view: View,
    where: AskedArea,
    county: County,
    walked: Walked | None,
    sight: CameraSight,
    asked: NextSitesAsked,
) -> SiteQuestion:
    """Read the ground and the posts of an area, and take its part of what is seen.

    Parameters
    ----------
    view
        All that the asker sees.
    walked
        The county's streets; needed where junctions are asked for.
    sight
        Of the whole county.

    Raises
    ------
    Refused
        ``post-outside``: posts were given that stand outside the area.
    """
    ground = site_ground(
        connection, view, where.part, county, margin_m=asked.range_m, grid_code=where.grid_code
    )
    posts = _posts(connection, where, county, walked, ground, asked)
    own = sight.of(where.part.scope, where.grid_code)
    rows = _rows_that_count(own, ground, asked.range_m)
    works = np.asarray(is_working(own.cameras), dtype=bool)[rows]
    views = own.views.to_numpy()[rows]
    views[~works] = shapely.Polygon()
    return SiteQuestion(
        asked,
        ground,
        posts,
        ToBeSeen(own.homes.geometry, own.people[1], _seen_by(own.sees_homes, rows, works)),
        ToBeSeen(own.places.geometry, own.key_places[1], _seen_by(own.sees_places, rows, works)),
        GeoSeries(own.cameras.geometry.iloc[rows]),
        GeoSeries(views, crs=own.views.crs),
        tuple(assumed_values(own.cameras.iloc[rows])),
        county.metric_srid,
    )


def _posts(
    connection: Connection,
    area: AskedArea,
    county: County,
    walked: Walked | None,
    ground: SiteGround,
    asked: NextSitesAsked,
) -> GeoDataFrame:
    """Return the posts of the kinds that are asked for, each place once, the first kind's first."""
    found: dict[str, GeoSeries] = {}
    if "poles" in asked.at:
        stored = asked.posts is None
        found["pole"] = (
            stored_posts(connection, area.part, county) if stored else _given(asked, ground, county)
        )
    if "facades" in asked.at:
        found["facade"] = facade_posts(ground.buildings, area.part.scope)
    if "junctions" in asked.at and walked is not None:
        nodes = junction_posts(walked.graph, ground.outline)
        found["junction"] = GeoSeries(shapely.points(walked.graph.node_xy[nodes]))
    points = np.concatenate([part.to_numpy() for part in found.values()])
    kind = np.repeat(list(found), [len(part) for part in found.values()])
    posts = GeoDataFrame({"kind": kind}, geometry=points, crs=ground.buildings.crs)
    inside = posts[is_within(posts.geometry, ground.outline)]
    return GeoDataFrame(inside.loc[once(inside.geometry).index].reset_index(drop=True))


def _given(asked: NextSitesAsked, ground: SiteGround, county: County) -> GeoSeries:
    posts = given_posts(np.asarray(asked.posts, dtype=np.float64).reshape(-1, 2), county)
    if not is_within(posts, ground.outline).all():
        raise Refused(
            "post-outside",
            "有立杆不在所选单位内；请去掉或换单位",
            "Some posts stand outside the unit; leave them out or ask about another unit",
            field="posts",
        )
    return posts


def _rows_that_count(own: CameraSight, ground: SiteGround, range_m: float) -> Whole:
    """Return the cameras out of doors that stand in the area or see into it."""
    indoor = own.cameras["indoor"].eq(True).fillna(False).to_numpy(dtype=bool)
    stands = np.asarray(is_built(own.cameras), dtype=bool) & ~indoor
    near = shapely.dwithin(own.cameras.geometry.to_numpy(), ground.outline, range_m)
    sees = shapely.intersects(own.views.to_numpy(), ground.outline)
    looks = _any_of(own.sees_homes) | _any_of(own.sees_places)
    return np.flatnonzero(stands & (near | sees | looks))


def _any_of(sees: csr_array) -> Flags:
    return np.asarray(np.diff(csr_array(sees).indptr) > 0, dtype=np.bool_)


def _seen_by(sees: csr_array, rows: Whole, works: Flags) -> csr_array:
    """Return the rows of some cameras, those that do not work as if they saw nothing."""
    kept = csr_array(csr_array(sees)[rows])
    kept.data = kept.data * np.repeat(works, np.diff(kept.indptr))
    kept.eliminate_zeros()
    return kept
