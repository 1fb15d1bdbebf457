"""Sealing: the same bytes for the same key and row, unreadable and unmovable otherwise."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from grid_boundaries.errors import Refused
from layers.load.seal import NONCE_BYTES, Sealer

KEY, OTHER = bytes(range(32)), bytes(32)
words = st.text(st.characters(codec="utf-8"), max_size=30)


@settings(derandomize=True, deadline=None)
@given(words, words, words)
def test_what_is_sealed_opens_to_itself(field: str, row_id: str, value: str) -> None:
    sealer = Sealer(KEY)
    assert sealer.open(field, row_id, sealer.seal(field, row_id, value)) == value


@settings(derandomize=True, deadline=None)
@given(words, words, words)
def test_two_sealers_of_one_key_give_the_same_bytes(field: str, row_id: str, value: str) -> None:
    assert Sealer(KEY).seal(field, row_id, value) == Sealer(KEY).seal(field, row_id, value)
    assert Sealer(KEY).hash(field, value) == Sealer(KEY).hash(field, value)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.tuples(words, words, words), unique=True, min_size=2, max_size=20))
def test_no_nonce_serves_two_plain_texts(cases: list[tuple[str, str, str]]) -> None:
    sealer = Sealer(KEY)
    nonces = {sealer.seal(*case)[:NONCE_BYTES] for case in cases}
    assert len(nonces) == len(cases)


@settings(derandomize=True, deadline=None)
@given(words, words, words, words)
def test_field_and_row_are_told_apart_wherever_one_ends(a: str, b: str, c: str, d: str) -> None:
    sealer = Sealer(KEY)
    if (a, b) != (c, d):
        assert sealer.hash(a, b) != sealer.hash(c, d)
        with pytest.raises(InvalidTag):
            sealer.open(c, d, sealer.seal(a, b, "x"))


def test_the_sealed_bytes_show_nothing_of_the_value() -> None:
    value = "999999199001011234"
    sealed = Sealer(KEY).seal("id_number", "P1", value)
    assert value.encode() not in sealed
    assert Sealer(KEY).hash("id_number", value).hex().find(value) < 0


def test_a_flipped_bit_and_another_key_do_not_open() -> None:
    sealed = Sealer(KEY).seal("phone", "P1", "10000000000")
    for place in (0, NONCE_BYTES, len(sealed) - 1):
        damaged = bytearray(sealed)
        damaged[place] ^= 1
        with pytest.raises(InvalidTag):
            Sealer(KEY).open("phone", "P1", bytes(damaged))
    with pytest.raises(InvalidTag):
        Sealer(OTHER).open("phone", "P1", sealed)


def test_another_key_gives_other_hashes() -> None:
    assert Sealer(KEY).hash("phone", "1") != Sealer(OTHER).hash("phone", "1")


@pytest.mark.parametrize("length", [0, 16, 31])
def test_a_short_key_is_refused(length: int) -> None:
    with pytest.raises(Refused) as refused:
        Sealer(bytes(length))
    assert refused.value.where["given_bytes"] == length
