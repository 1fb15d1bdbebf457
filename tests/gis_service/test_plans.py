"""Plans through HTTP over a real database: drawn, undone, checked, compared, merged, agreed on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Empty
from typing import Any

import pytest

from tests.county import SOUTH, VILLAGES, WEST, WIDTH_DEG
from tests.gis_service.test_event_stream import stream
from tests.serving import Client

GRID_1, GRID_2 = f"{VILLAGES[0]}001", f"{VILLAGES[0]}002"  # of 西社区, blocks 9 10 and 11 12
BLOCK_9, BLOCK_10, BLOCK_11 = "B000009", "B000010", "B000011"
ALL_PEOPLE = 64
LOOSE = {setting: {"measure": "people", "at_least": 0, "at_most": 10_000}
         for setting in ("city", "market_town", "village")}  # fmt: skip
MIDDLE_OF_10 = [[WEST + 1.5 * WIDTH_DEG, SOUTH - 0.001], [WEST + 1.5 * WIDTH_DEG, SOUTH + 0.011]]


def post(client: Client, address: str, role: str = "planner", **body: Any) -> Any:
    answer = client.post(f"/api/plans{address}", json=body, headers=client.by(role))
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def refused(client: Client, address: str, role: str = "planner", **body: Any) -> tuple[int, Any]:
    answer = client.post(f"/api/plans{address}", json=body, headers=client.by(role))
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["zh"] and problem["en"] and problem["zh"] != problem["en"]
    return answer.status_code, problem


def get(client: Client, address: str, role: str = "planner") -> Any:
    answer = client.get(f"/api{address}", headers=client.by(role))
    assert answer.status_code == 200, answer.text
    return answer.json()


def started(client: Client, **more: Any) -> int:
    body = {"title": "调整西社区", "rules": LOOSE} | more
    return int(post(client, "", **body)["id"])


def drawn(client: Client, plan: int, version: int, role: str = "planner", **stroke: Any) -> Any:
    return post(client, f"/{plan}/strokes", role, base_version=version, stroke=stroke)


def source(plan: int) -> dict[str, Any]:
    """Return the field that names the plan to take from."""
    return {"from": plan}


def numbers_of(answer: Any, code: str) -> tuple[Any, Any]:
    (found,) = [change for change in answer["numbers"] if change["grid"] == code]
    return found["before"], found["after"]


def test_a_plan_starts_from_the_grids_in_force(own_client: Client) -> None:
    plan = started(own_client)
    whole = get(own_client, f"/plans/{plan}")
    assert (whole["status"], whole["version"], whole["strokes"]) == ("draft", 0, [])
    assert whole["created_by"] == "planner"
    assert whole["hash"] == whole["base_hash"]
    state = get(own_client, f"/plans/{plan}/assignment")
    assert len(state["blocks"]) == 16
    assert state["blocks"][BLOCK_10] == GRID_1
    assert len(state["grids"]) == 8
    assert [one["id"] for one in get(own_client, "/plans")] == [plan]


def test_a_move_answers_changed_blocks_and_the_numbers_of_both_grids(own_client: Client) -> None:
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    assert told["changed"] == {BLOCK_10: GRID_2}
    assert (told["version"], told["cursor"], told["basis"]) == (1, 1, "present")
    before, after = numbers_of(told, GRID_1)
    for name, each in (("people", 4), ("households", 2), ("places", 1), ("key_places", 1),
                       ("cameras", 1), ("workers", 1)):  # fmt: skip
        assert before[name] - after[name] == each, name
    assert before["people"] == 8
    gained = numbers_of(told, GRID_2)[1]
    assert (gained["people"], gained["blocks"], gained["parts"]) == (12, 3, 1)
    assert gained["area_m2"] == pytest.approx(3 * after["area_m2"], rel=1e-3)
    assert 0 < gained["polsby_popper"] <= 1


def test_undo_and_redo_go_to_equal_states_and_outlive_the_process(own_client: Client) -> None:
    plan = started(own_client)
    start = get(own_client, f"/plans/{plan}")["hash"]
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    drawn(own_client, plan, 1, kind="merge", grids=[GRID_1], into=GRID_2)
    end = get(own_client, f"/plans/{plan}")["hash"]
    post(own_client, f"/{plan}/undo", base_version=2)
    told = post(own_client, f"/{plan}/undo", base_version=3)
    assert told["changed"] == {BLOCK_10: GRID_1}
    assert get(own_client, f"/plans/{plan}")["hash"] == start
    for version in (4, 5):
        post(own_client, f"/{plan}/redo", base_version=version)
    whole = get(own_client, f"/plans/{plan}")
    assert whole["hash"] == end
    assert [one["in_force"] for one in whole["strokes"]] == [True, True]


def test_there_is_an_end_to_undo_and_redo(own_client: Client) -> None:
    plan = started(own_client)
    assert refused(own_client, f"/{plan}/undo", base_version=0)[1]["code"] == "nothing-to-undo"
    assert refused(own_client, f"/{plan}/redo", base_version=0)[1]["code"] == "nothing-to-redo"


def test_a_new_stroke_drops_what_was_undone(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    post(own_client, f"/{plan}/undo", base_version=1)
    drawn(own_client, plan, 2, kind="move", blocks=[BLOCK_11], to=GRID_1)
    assert len(get(own_client, f"/plans/{plan}")["strokes"]) == 1
    assert refused(own_client, f"/{plan}/redo", base_version=3)[0] == 422


def test_a_cut_block_shares_its_people_out_and_undo_gives_the_old_bytes(
    own_client: Client,
) -> None:
    plan = started(own_client)
    start = get(own_client, f"/plans/{plan}/assignment")
    told = drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    assert told["gone"] == [BLOCK_10]
    assert set(told["changed"]) == {f"{BLOCK_10}.1", f"{BLOCK_10}.2"}
    before, after = numbers_of(told, GRID_1)
    assert before["people"] == after["people"] == 8
    assert after["area_m2"] == pytest.approx(before["area_m2"], rel=1e-6)
    # homes stand at 0.42 of the width: all in the western piece
    moved = drawn(own_client, plan, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    assert numbers_of(moved, GRID_2)[1]["people"] == 8
    assert numbers_of(moved, GRID_2)[1]["cameras"] == 3  # the camera stands at 0.6
    west = drawn(own_client, plan, 2, kind="move", blocks=[f"{BLOCK_10}.1"], to=GRID_2)
    assert numbers_of(west, GRID_2)[1]["people"] == 12
    for version in (3, 4, 5):
        post(own_client, f"/{plan}/undo", base_version=version)
    assert get(own_client, f"/plans/{plan}/assignment") == {**start, "version": 6}


def test_a_created_grid_is_in_its_blocks_village_and_has_numbers(own_client: Client) -> None:
    plan = started(own_client)
    told = drawn(own_client, plan, 0, kind="create", name="新网格", blocks=[BLOCK_10, BLOCK_11])
    (code,) = set(told["changed"].values())
    assert code.startswith(f"{VILLAGES[0]}~")
    before, after = numbers_of(told, code)
    assert before is None
    assert after["people"] == 8
    gone = drawn(own_client, plan, 1, kind="retire", grid=code)
    assert gone["changed"] == {BLOCK_10: None, BLOCK_11: None}


@pytest.mark.parametrize(
    ("stroke", "status", "code"),
    [
        ({"kind": "move", "blocks": ["B999999"], "to": GRID_1}, 404, "no-such-block"),
        ({"kind": "move", "blocks": [BLOCK_9], "to": "nowhere"}, 404, "no-such-grid"),
        ({"kind": "move", "blocks": [], "to": GRID_1}, 422, "bad-field"),
        ({"kind": "burn"}, 422, "bad-field"),
        ({"kind": "split", "block": BLOCK_9, "line": [[0, 0], [1, 1]]}, 422, "line-does-not-cut"),
        ({"kind": "split", "block": BLOCK_9, "line": [[0, 0], [181, 1]]}, 422, "bad-field"),
        ({"kind": "split", "block": "B9", "line": [[0, 0], [1, 1]]}, 404, "no-such-block"),
        ({"kind": "retire", "grid": "nowhere"}, 404, "no-such-grid"),
        ({"kind": "retire", "grid": GRID_1, "colour": "red"}, 422, "bad-field"),
    ],
)
def test_a_stroke_that_does_not_fit_is_refused_and_nothing_changes(
    own_client: Client, stroke: dict[str, Any], status: int, code: str
) -> None:
    plan = started(own_client)
    answer = refused(own_client, f"/{plan}/strokes", base_version=0, stroke=stroke)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert get(own_client, f"/plans/{plan}")["version"] == 0


def test_strokes_on_other_ground_meet_without_conflict(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    other = [f"{VILLAGES[1]}001", f"{VILLAGES[1]}002"]
    told = drawn(own_client, plan, 0, "approver", kind="merge", grids=other[:1], into=other[1])
    assert told["version"] == 2


def test_of_many_planners_at_once_no_acknowledged_stroke_is_lost(own_client: Client) -> None:
    plan = started(own_client)
    pairs = [(f"{village}001", f"{village}002") for village in VILLAGES]
    held = get(own_client, f"/plans/{plan}/assignment")["blocks"]

    def work(pair: tuple[str, str]) -> list[tuple[str, str]]:
        """Move the blocks of one village to and fro, always from the version first seen."""
        own = sorted(block for block, code in held.items() if code in pair)
        done: list[tuple[str, str]] = []
        version, lies = 0, {block: held[block] for block in own}
        for block in own * 2:
            to = lies[block] = pair[lies[block] == pair[0]]
            stroke = {"kind": "move", "blocks": [block], "to": to}
            body = {"base_version": version, "stroke": stroke}
            answer = own_client.post(
                f"/api/plans/{plan}/strokes", json=body, headers=own_client.by("planner")
            )
            assert answer.status_code == 200, answer.text
            done.append((block, to))
            version = answer.json()["version"]
        return done

    with ThreadPoolExecutor(len(pairs)) as pool:
        done = [stroke for strokes in pool.map(work, pairs) for stroke in strokes]
    whole = get(own_client, f"/plans/{plan}")
    assert len(done) == len(whole["strokes"]) == whole["version"] == 32
    assert get(own_client, f"/plans/{plan}/assignment")["blocks"] == {**held, **dict(done)}


def test_a_stroke_on_changed_ground_is_a_conflict_with_who_when_and_what(
    own_client: Client,
) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    status, problem = refused(
        own_client, f"/{plan}/strokes", "approver", base_version=0,
        stroke={"kind": "move", "blocks": [BLOCK_9], "to": GRID_2},
    )  # fmt: skip
    assert (status, problem["code"]) == (409, "plan-changed")
    where = problem["where"]
    assert (where["by"], where["what"], where["version"]) == ("planner", "move", 1)
    assert where["at"] and where["both"] == sorted([GRID_1, GRID_2])


def test_planners_hear_of_a_stroke_and_others_do_not(own_client: Client) -> None:
    plan = started(own_client)
    with stream(own_client, "planner") as planner, stream(own_client, "leader") as leader:
        drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
        assert planner.next("ver", layer=f"plan:{plan}")["data"]["box"] is None
        with pytest.raises(Empty):
            leader.next("ver", layer=f"plan:{plan}", wait_s=1.5)


def test_an_undo_is_a_conflict_for_whoever_has_not_seen_it(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    post(own_client, f"/{plan}/undo", base_version=1)
    other = {"kind": "retire", "grid": f"{VILLAGES[3]}001"}
    status, problem = refused(own_client, f"/{plan}/strokes", base_version=1, stroke=other)
    assert (status, problem["where"]["what"]) == (409, "undo")
    assert refused(own_client, f"/{plan}/undo", base_version=1)[0] == 409
    assert refused(own_client, f"/{plan}/undo", base_version=9)[0] == 409


def test_a_locked_grid_is_left_alone_unless_one_goes_over_it(own_client: Client) -> None:
    plan = started(own_client)
    post(own_client, f"/{plan}/locks", grids=[GRID_1], minutes=5)
    stroke = {"kind": "move", "blocks": [BLOCK_10], "to": GRID_2}
    status, problem = refused(
        own_client, f"/{plan}/strokes", "approver", base_version=0, stroke=stroke
    )
    assert (status, problem["code"], problem["where"]["by"]) == (409, "grid-locked", "planner")
    assert refused(own_client, f"/{plan}/locks", "approver", grids=[GRID_1])[0] == 409
    assert get(own_client, f"/plans/{plan}")["locks"][0]["grid"] == GRID_1
    told = post(own_client, f"/{plan}/strokes", "approver", base_version=0, stroke=stroke,
                over_locks=True)  # fmt: skip
    assert told["version"] == 1
    answer = own_client.delete(f"/api/plans/{plan}/locks", headers=own_client.by("planner"))
    assert answer.status_code == 204
    assert get(own_client, f"/plans/{plan}")["locks"] == []


def test_checks_tell_faults_with_people_and_a_remedy_that_is_a_stroke(own_client: Client) -> None:
    plan = started(own_client)
    assert get(own_client, f"/plans/{plan}/checks")["faults"] == []
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_9], to=None)
    (fault,) = get(own_client, f"/plans/{plan}/checks")["faults"]
    assert (fault["kind"], fault["severity"], fault["people"]) == ("unassigned", "hard", 4)
    assert not fault["inherited"] and fault["stops"]
    assert fault["box"] == pytest.approx([WEST, SOUTH, WEST + WIDTH_DEG, SOUTH + 0.01])
    drawn(own_client, plan, 1, **fault["remedy"])
    assert get(own_client, f"/plans/{plan}/checks")["faults"] == []


def test_checks_print_the_rule_and_its_basis(own_client: Client) -> None:
    plan = started(own_client, rules={"village": "village"}, basis="usual")
    answer = get(own_client, f"/plans/{plan}/checks")
    assert "常住人口" in answer["rules"]["village"]["zh"]
    assert {fault["kind"] for fault in answer["faults"]} == {"under-band"}
    assert all(fault["inherited"] for fault in answer["faults"])  # they were so before
    assert answer["faults"][0]["households"] == 4


def test_pieces_are_checked_like_blocks(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(own_client, plan, 1, kind="move", blocks=[f"{BLOCK_10}.1"], to=GRID_2)
    faults = get(own_client, f"/plans/{plan}/checks")["faults"]
    assert [(one["kind"], one["grid"], one["blocks"], one["people"]) for one in faults] == [
        ("detached", GRID_2, [f"{BLOCK_10}.1"], 4), ("detached", GRID_1, [f"{BLOCK_10}.2"], 0)
    ]  # fmt: skip


def test_a_diff_says_what_changes_hands(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10, BLOCK_9], to=GRID_2)
    found = get(own_client, f"/plans/{plan}/diff")
    assert found["totals"]["people"] == 8
    assert found["totals"]["incidents"] == 0  # none within 90 days of today
    assert [(one["block"], one["from_grid"], one["to_grid"]) for one in found["blocks"]] == [
        (BLOCK_9, GRID_1, GRID_2), (BLOCK_10, GRID_1, GRID_2)
    ]  # fmt: skip
    other = started(own_client, **source(plan))
    assert get(own_client, f"/plans/{other}/diff?against={plan}")["blocks"] == []


def test_a_diff_of_a_cut_compares_pieces(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    drawn(own_client, plan, 1, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    (one,) = get(own_client, f"/plans/{plan}/diff")["blocks"]
    assert (one["block"], one["people"], one["cameras"]) == (f"{BLOCK_10}.2", 0, 1)


def test_two_plans_merge_and_conflicts_are_listed(own_client: Client) -> None:
    mine, theirs = started(own_client), started(own_client)
    drawn(own_client, mine, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    drawn(own_client, theirs, 0, kind="move", blocks=[BLOCK_10], to=f"{VILLAGES[1]}001")
    drawn(own_client, theirs, 1, kind="split", block=BLOCK_9, line=[
        [WEST + 0.5 * WIDTH_DEG, SOUTH - 0.001], [WEST + 0.5 * WIDTH_DEG, SOUTH + 0.011]
    ])  # fmt: skip
    drawn(own_client, theirs, 2, kind="move", blocks=[f"{BLOCK_9}.2"], to=GRID_2)
    told = post(own_client, f"/{mine}/merge", base_version=1, **source(theirs))
    assert told["changed"] == {f"{BLOCK_9}.1": GRID_1, f"{BLOCK_9}.2": GRID_2}
    assert [(one["kind"], one["where"]) for one in told["conflicts"]] == [("move", BLOCK_10)]
    again = post(own_client, f"/{mine}/merge", base_version=told["version"], **source(theirs))
    assert again["changed"] == {}
    post(own_client, f"/{mine}/undo", base_version=again["version"])


def test_a_fork_starts_from_the_drawn_state_and_merges_back(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="split", block=BLOCK_10, line=MIDDLE_OF_10)
    fork = started(own_client, title="另案", **source(plan))
    drawn(own_client, fork, 0, kind="move", blocks=[f"{BLOCK_10}.2"], to=GRID_2)
    told = post(own_client, f"/{plan}/merge", base_version=1, **source(fork))
    assert told["changed"] == {f"{BLOCK_10}.2": GRID_2}
    assert told["conflicts"] == []


def test_comments_are_kept_in_order(own_client: Client) -> None:
    plan = started(own_client)
    post(own_client, f"/{plan}/comments", text="河东归哪边？", about=BLOCK_10)
    post(own_client, f"/{plan}/comments", "approver", text="归东边")
    found = get(own_client, f"/plans/{plan}/comments")
    assert [(one["actor"], one["about"]) for one in found] == [
        ("planner", BLOCK_10), ("approver", None)
    ]  # fmt: skip


def test_hard_faults_stop_a_submission(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_9], to=None)
    status, problem = refused(own_client, f"/{plan}/submit", base_version=1)
    assert (status, problem["code"]) == (422, "plan-faulty")
    assert problem["where"]["faults"] == [f"unassigned:{BLOCK_9}"]


def test_soft_faults_are_accepted_by_name(own_client: Client) -> None:
    band = {"village": {"measure": "people", "at_least": 8, "at_most": 8}}
    plan = started(own_client, rules=band)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    status, problem = refused(own_client, f"/{plan}/submit", base_version=1)
    keys = problem["where"]["faults"]
    assert (status, problem["code"]) == (422, "faults-not-accepted")
    assert sorted(keys) == [f"over-band:{GRID_2}", f"under-band:{GRID_1}"]
    submitted = post(own_client, f"/{plan}/submit", base_version=1, accept=keys)
    assert submitted["status"] == "submitted"
    assert submitted["accepted"] == dict.fromkeys(keys, "planner")


def test_another_person_approves(own_client: Client) -> None:
    plan = started(own_client)
    drawn(own_client, plan, 0, kind="move", blocks=[BLOCK_10], to=GRID_2)
    assert refused(own_client, f"/{plan}/approve", "approver", base_version=1)[0] == 409
    post(own_client, f"/{plan}/submit", base_version=1)
    status, problem = refused(own_client, f"/{plan}/approve", base_version=2)
    assert (status, problem["code"]) == (403, "own-plan")
    approved = post(own_client, f"/{plan}/approve", "approver", base_version=2)
    assert (approved["status"], approved["approved_by"]) == ("approved", "approver")
    stroke = {"kind": "move", "blocks": [BLOCK_9], "to": GRID_2}
    answer = refused(own_client, f"/{plan}/strokes", base_version=3, stroke=stroke)
    assert (answer[0], answer[1]["code"]) == (409, "plan-status")
    assert post(own_client, f"/{plan}/withdraw", base_version=3)["status"] == "draft"


@pytest.mark.parametrize("role", ["leader", "command", "chief", "worker", "auditor", "integration"])
def test_only_planners_work_on_plans(client: Client, role: str) -> None:
    answer = client.get("/api/plans", headers=client.by(role))
    assert answer.status_code == 403
    assert refused(client, "", role, title="x")[0] == 403


def test_a_plan_for_one_town_has_its_blocks_only(own_client: Client) -> None:
    plan = started(own_client, unit=VILLAGES[0][:9])
    assert len(get(own_client, f"/plans/{plan}/assignment")["blocks"]) == 8
    assert refused(own_client, "", title="x", unit="999")[1]["code"] == "no-such-unit"
    county = started(own_client)
    assert refused(own_client, f"/{county}/merge", base_version=0, **source(plan))[0] == 409


def test_an_unknown_plan_is_not_found(client: Client) -> None:
    answer = client.get("/api/plans/99", headers=client.by("planner"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no-such-plan")
