"""What planners send in, as it comes over the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from gis_service.errors import field_refusal
from gis_service.names import one_line
from gis_service.personal_numbers import without_personal_numbers
from gis_service.wire import read_json

Id = Annotated[str, Field(min_length=1, max_length=64)]
Free = Annotated[str, AfterValidator(without_personal_numbers)]
Short = Annotated[
    Free,
    Field(min_length=1, max_length=200),
    AfterValidator(one_line),
]
Version = Annotated[int, Field(ge=0)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Line = Annotated[list[tuple[Lon, Lat]], Field(min_length=2, max_length=1000)]
Ring = Annotated[list[tuple[Lon, Lat]], Field(min_length=4, max_length=1000)]
Blocks = Annotated[list[Id], Field(max_length=5000)]
Basis = Literal["present", "registered", "usual"]
Setting = Literal["city", "market_town", "village"]


class Asked(BaseModel):
    """A body of which every field is known."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Band(Asked):
    """A size rule of the planner's own."""

    name: Literal["custom"] = "custom"
    measure: Literal["people", "households"]
    at_least: Annotated[int, Field(ge=0)]
    at_most: Annotated[int, Field(ge=0)]


class Area(Asked):
    """A polygon as GeoJSON has it: an outline and holes, closed."""

    type: Literal["Polygon"] = "Polygon"
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=50)]


class NewPlan(Asked):
    """A plan to be started, from what is in force in a unit or from another plan."""

    title: Short
    unit: Id | None = None
    from_plan: int | None = Field(default=None, alias="from")
    basis: Basis | None = None
    rules: dict[Setting, Id | Band] = Field(default_factory=dict)


class MoveAsked(Asked):
    """Blocks to a grid, or to none."""

    kind: Literal["move"]
    blocks: Annotated[Blocks, Field(min_length=1)]
    to: Id | None


class MergeAsked(Asked):
    """Grids to be dissolved into one of the plan's."""

    kind: Literal["merge"]
    grids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    into: Id


class SplitAsked(Asked):
    """A block and the line along which it is cut."""

    kind: Literal["split"]
    block: Id
    line: Line


class CreateAsked(Asked):
    """A grid to be made; it gets its code when the plan is published.

    Its setting is that of the grid that holds most of its blocks, where none is given.
    """

    kind: Literal["create"]
    name: Short
    blocks: Annotated[Blocks, Field(min_length=1)]
    village_code: Id | None = None
    grid_kind: Literal["residential", "special"] = "residential"
    special_use: Short | None = None
    setting: Setting | None = None


class RetireAsked(Asked):
    """A grid to be taken away."""

    kind: Literal["retire"]
    grid: Id


class DeclareAsked(Asked):
    """Of how many parts a grid rightly consists: an enclave or island is declared."""

    kind: Literal["declare"]
    grid: Id
    parts: Annotated[int, Field(ge=1, le=100)]


class SplitGridAsked(Asked):
    """A grid to be cut along a line; one side goes to a grid of the plan or to a new one.

    The side is told along the line; the smaller one where none is given.
    """

    kind: Literal["split_grid"]
    grid: Id
    line: Line
    side: Literal["left", "right"] | None = None
    to: Id | None = None
    name: Short = "新网格"


class MoveBorderAsked(Asked):
    """Two grids and their new border, or a line in place of a part of it."""

    kind: Literal["move_border"]
    grids: Annotated[list[Id], Field(min_length=2, max_length=2)]
    line: Line


class TransferAsked(Asked):
    """An area that a grid of the plan takes, blocks cut along its outline."""

    kind: Literal["transfer"]
    area: Area
    to: Id


class CarveAsked(Asked):
    """A special grid to be made of an area, or of the ground of a place or special block."""

    kind: Literal["carve"]
    name: Short
    special_use: Short
    area: Area | None = None
    place: Id | None = None
    village_code: Id | None = None
    setting: Setting | None = None

    @model_validator(mode="after")
    def one_ground(self) -> Self:
        """Take either an area or a place."""
        if (self.area is None) == (self.place is None):
            raise PydanticCustomError(
                "one-ground", "give either area or place", {"zh": "area 与 place 须且只能给一个"}
            )
        return self


class AbsorbAsked(Asked):
    """A special grid to go back to a grid; where none is given, to the longest neighbour."""

    kind: Literal["absorb"]
    grid: Id
    into: Id | None = None


StrokeAsked = Annotated[
    MoveAsked
    | MergeAsked
    | SplitAsked
    | CreateAsked
    | RetireAsked
    | DeclareAsked
    | SplitGridAsked
    | MoveBorderAsked
    | TransferAsked
    | CarveAsked
    | AbsorbAsked,
    Field(discriminator="kind"),
]


class Change(Asked):
    """A change of a plan by somebody who has seen a version of it."""

    base_version: Version


class Drawing(Change):
    """One stroke."""

    stroke: StrokeAsked
    over_locks: bool = False


class Merging(Change):
    """Another plan's changes to be taken in."""

    from_plan: int = Field(alias="from")
    prefer: Literal["mine", "theirs"] = "mine"


class Submission(Change):
    """A plan handed in, with the soft faults that are accepted by name."""

    accept: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list)


class Publishing(Change):
    """From which day the plan is to be in force; today where none is given."""

    on: date | None = None


class Remark(Asked):
    """A comment, on a block or grid where it says so."""

    text: Annotated[Free, Field(min_length=1, max_length=4000)]
    about: Id | None = None


class Locking(Asked):
    """Grids that somebody is at."""

    grids: Annotated[list[Id], Field(min_length=1, max_length=500)]
    minutes: Annotated[int, Field(ge=1, le=480)] = 15


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], body: bytes) -> Model:
    """Return a body as a model.

    Raises
    ------
    Malformed
        It is not JSON.
    Refused
        Its fields do not fit.
    """
    plain: Any = read_json(body)
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise field_refusal(error.errors()) from None
