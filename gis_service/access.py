"""Who may see what: the only module that makes a `View`, from the actor's role and scope."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from threading import Lock
from types import MappingProxyType

from sqlalchemy import Engine, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from gis_service.auth import Signer, token_of
from grid_boundaries.actors import actor as actor_table
from grid_boundaries.errors import NotAllowed, NotFound, NotSignedIn
from grid_boundaries.view import View, Window
from layers.layer import Layer
from layers.registry import LAYERS, layer_named

EVERYWHERE = "/"  # every unit path starts with it
RIGHTS = frozenset(
    {
        "counts", "cameras", "workers", "visits", "incidents", "persons", "plans", "approve",
        "dispatch", "ingest", "alerts", "audit", "settings", "maintain",
    }
)  # fmt: skip
_CENTRE = frozenset(
    {"counts", "cameras", "workers", "visits", "incidents", "persons", "ingest", "alerts"}
)
_COMMAND = _CENTRE - {"persons"} | {"dispatch", "maintain"}
_KEEPER = _CENTRE | {"maintain"}  # keeps the ledger of the cameras in its area

# docs/terms.md and the roles of a county's centres; a role that is not here has no right
RIGHTS_OF_ROLE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "leader": frozenset({"counts", "cameras", "workers", "incidents"}),
        "command": _COMMAND,
        "planner": frozenset({"counts", "cameras", "plans", "approve"}),
        "approver": frozenset({"counts", "cameras", "plans", "approve"}),
        "town_centre": _KEEPER,
        "village_centre": _KEEPER,
        "chief": _CENTRE,
        "worker": _CENTRE,
        "cadre": frozenset({"incidents"}),
        "department": frozenset({"incidents"}),
        "auditor": frozenset({"audit"}),
        "integration": frozenset({"ingest"}),
    }
)
FRESH_S = 5.0  # how long a changed or blocked actor may still be believed


@dataclass(frozen=True)
class Asker:
    """Whoever makes a request.

    Parameters
    ----------
    worker_id
        The worker that the actor is; None for all others.
    until
        When the sign-in runs out.
    """

    role: str
    worker_id: str | None
    view: View
    until: datetime

    def needs(self, right: str) -> None:
        """Refuse an asker without the right.

        Raises
        ------
        NotAllowed
            The role does not include it.
        """
        if right not in self.view.rights:
            raise NotAllowed(
                "right-missing",
                "您的角色没有这项权限",
                "Your role does not include this right",
                right=right,
            )


class Access:
    """Finds the asker of a request by its token and the `actor` table."""

    def __init__(self, engine: Engine, signer: Signer) -> None:
        self.signer = signer
        self._engine = engine
        self._lock = Lock()
        self._actors: Mapping[str, tuple[str, tuple[str, ...], str | None]] = {}
        self._read_at = float("-inf")

    def asker(self, connection: HTTPConnection) -> Asker:
        """Return who asks.

        Raises
        ------
        NotSignedIn
            No token, a bad one, or one of an actor that is gone or blocked.
        """
        signed = self.signer.read(token_of(connection))
        if not self._is_fresh():
            self._read()
        found = self._actors.get(signed.actor)
        if found is None:
            raise NotSignedIn("no-such-actor", "该账户已停用", "This account is no longer active")
        role, scope, worker_id = found
        view = View(signed.actor, scope, RIGHTS_OF_ROLE.get(role, frozenset()))
        return Asker(role, worker_id, view, signed.until)

    async def asker_async(self, connection: HTTPConnection) -> Asker:
        """Do what `asker` does without blocking the event loop."""
        if self._is_fresh():
            return self.asker(connection)
        return await run_in_threadpool(self.asker, connection)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_S

    def _read(self) -> None:
        columns = actor_table.c
        statement = select(columns.name, columns.role, columns.scope, columns.worker_id)
        with self._lock, self._engine.connect() as connection:
            rows = connection.execute(statement.where(columns.active)).all()
            self._actors = {row.name: (row.role, tuple(row.scope), row.worker_id) for row in rows}
            self._read_at = time.monotonic()


def system_view(actor: str = "service") -> View:
    """Return the view of the service itself: the whole county with every right."""
    return View(actor, (EVERYWHERE,), RIGHTS)


def writing_view(asker: Asker) -> View:
    """Return the view under which what an asker sends in is stored, wherever it lies.

    `gis_service.ingest` and `camera_editing` use it, which say themselves what the asker may send.
    """
    return replace(asker.view, scope=(EVERYWHERE,))


def may_see(view: View, layer: Layer) -> bool:
    """Say whether a view has the right that the layer asks for."""
    return not layer.right or layer.right in view.rights


def seen_layers(view: View) -> list[Layer]:
    """Return the layers that a view may see, in drawing order."""
    seen = (layer for layer in LAYERS.values() if may_see(view, layer))
    return sorted(seen, key=lambda layer: layer.style.order)


def seen_layer(view: View, name: str) -> Layer:
    """Return a layer by name.

    Raises
    ------
    NotFound
        There is none of that name.
    NotAllowed
        The view lacks the layer's right.
    """
    layer = layer_named(name)
    if not may_see(view, layer):
        raise NotAllowed(
            "layer-not-yours",
            f"您的角色不能查看图层“{layer.title.zh}”",
            f"Your role may not see the layer “{layer.title.en}”",
            layer=name,
        )
    return layer


def at_unit(view: View, unit_path: str) -> View:
    """Return the view narrowed to one unit: the part of the scope at or under it.

    Raises
    ------
    NotFound
        The unit and the scope have nothing in common.
    """
    scope = _common_scope(view.scope, unit_path)
    if not scope:
        raise NotFound(
            "unit-not-yours", "在您的辖区内没有这个单位", "There is no such unit within your area"
        )
    return replace(view, scope=scope)


def _common_scope(scope: tuple[str, ...], unit_path: str) -> tuple[str, ...]:
    """Return the paths that lie in both: the unit where it is in scope, else what it holds."""
    if unit_path.startswith(scope):
        return (unit_path,)
    return tuple(path for path in scope if path.startswith(unit_path))


def on_date(view: View, as_of: date | None, window: Window | None = None) -> View:
    """Return the view of another date or window; what may be seen stays the same."""
    return replace(view, as_of=as_of, window=window)
