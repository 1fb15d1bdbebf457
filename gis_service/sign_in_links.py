"""The links by which the demo users sign in on this machine, printed when the service starts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, select

from gis_service.auth import Signer, sign_in_key
from gis_service.listening import address, is_loopback
from gis_service.settings import Settings
from grid_boundaries.actors import actor
from grid_boundaries.store import county


@dataclass(frozen=True)
class Link:
    """One actor's way in."""

    title_zh: str
    title_en: str
    url: str


def sign_in_links(engine: Engine, settings: Settings) -> list[Link]:
    """Return a link for each active actor, leading to the county's wall.

    Empty off loopback, where sign-in links are not taken, and for an empty database.
    """
    if not is_loopback(settings.host):
        return []
    people = select(actor.c.name, actor.c.title_zh, actor.c.title_en).where(actor.c.active)
    with engine.connect() as connection:
        code = connection.scalar(select(county.c.code))
        actors = connection.execute(people.order_by(actor.c.created_at, actor.c.name)).all()
    if code is None:
        return []
    signer = Signer(sign_in_key(settings.data_dir), settings.session_hours)
    home = address(settings)
    return [
        Link(zh, en, f"{home}sign-in/{signer.token(name)}?next=/wall/{code}")
        for name, zh, en in actors
    ]
