"""Errors become statuses that a client can read back, whatever is in them."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st

from headcount.model.errors import CorruptionError, Position, Reason, UserError
from headcount.rpc import convert, status

TRAILER_LIMIT = 8192  # bytes; what gRPC clients take by default

texts = st.text(max_size=40)
positions = st.builds(
    lambda before, at, after: Position.at(before + at + after, len(before), len(before + at)),
    texts,
    st.text(min_size=1, max_size=10, alphabet=st.characters(exclude_characters="\n")),
    texts,
)
names = st.text(
    min_size=1, max_size=20, alphabet=st.characters(codec="utf-8", exclude_characters="\n")
)
errors = st.builds(
    UserError,
    st.sampled_from(Reason),
    st.text(min_size=1, max_size=100, alphabet=st.characters(codec="utf-8")),
    position=st.none() | positions,
    field=st.none() | names.filter(lambda name: name != "query"),
    suggestions=st.lists(names, max_size=3).map(tuple),
)


def shown(error: UserError) -> tuple[object, ...]:
    """Return everything that an error says."""
    return error.reason, error.message, error.position, error.field, error.suggestions


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_code(reason: Reason) -> None:
    """The table is complete, and no reason of a user is a fault of the server."""
    assert status.CODES[reason] not in (grpc.StatusCode.OK, grpc.StatusCode.INTERNAL)
    assert status.CODES[reason] is not grpc.StatusCode.UNKNOWN


@given(errors.filter(lambda e: status.CODES[e.reason] is grpc.StatusCode.INVALID_ARGUMENT))
def test_an_error_survives_the_wire(error: UserError) -> None:
    """A client rebuilds reason, message, position, field and suggestions."""
    found = status.user_error(status.status_of(error, "id"))
    assert found is not None
    assert shown(found) == shown(error)


@given(errors)
def test_an_error_survives_as_a_diagnostic(error: UserError) -> None:
    """The same holds for the errors inside answers."""
    assert shown(convert.user_error(convert.to_diagnostic(error))) == shown(error)


def percent_encoded(message: str) -> int:
    """Return how many bytes a message takes in the trailers at most."""
    return sum(1 if 0x20 <= byte <= 0x7E else 3 for byte in message.encode())


@given(st.sampled_from(["a", "ä", "語", "🙂", "\n"]), st.sampled_from([1, 1000, 100_000]))
def test_the_longest_error_fits_the_trailers(character: str, length: int) -> None:
    """However long the texts of an error are, a client takes its trailers."""
    long = character * length
    error = UserError(
        Reason.SYNTAX,
        long,
        position=Position(1, length // 2 + 1, 1, long.replace("\n", " ")),
        field=long,
        suggestions=(long,) * 9,
    )
    failed = status.status_of(error, "i" * 64)
    assert percent_encoded(failed.message) + len(failed.SerializeToString()) * 4 / 3 < TRAILER_LIMIT


def test_a_long_line_is_cut_around_the_place() -> None:
    """Of a long line the piece around the place is sent, and the caret still fits."""
    line = "x" * 5000 + "@" + "y" * 5000
    error = UserError(Reason.SYNTAX, "no", position=Position.at(line, 5000, 5001))
    found = status.user_error(status.status_of(error, "id"))
    assert found is not None
    assert found.position is not None
    assert found.position.column == 5001
    source, caret = found.position.caret().splitlines()
    assert source[caret.index("^")] == "@"


def test_damage_is_not_told_in_detail() -> None:
    """A client learns that data is damaged, not where the server keeps it."""
    error = CorruptionError(Path("/srv/secret/gen-000001.db"), "ana@example.com", part="block 3")
    failed = status.status_of(error, "id-7")
    assert status.code_of(failed) is grpc.StatusCode.DATA_LOSS
    wire = failed.SerializeToString()
    for secret in (b"secret", b"ana@", b"block"):
        assert secret not in wire
    assert b"id-7" in wire
    assert status.user_error(failed) is None


def test_a_bug_is_an_id() -> None:
    """Of a bug a client learns nothing but the request id."""
    failed = status.internal("id-7")
    assert status.code_of(failed) is grpc.StatusCode.INTERNAL
    assert [detail.type_url for detail in failed.details] == [
        "type.googleapis.com/google.rpc.RequestInfo"
    ]


def test_overload_says_when_to_come_back() -> None:
    """A refused call carries a RetryInfo."""
    failed = status.status_of(UserError(Reason.OVERLOADED, "busy"), "id")
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in failed.details)
    assert retry.retry_delay.ToMilliseconds() == 1000
