"""A page token continues the listing it came from, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.index.view import Version
from headcount.members.tokens import PageToken, decode, digest
from headcount.model.errors import Reason, UserError

VERSION = Version(3, 14)
LISTING = digest("default", b"everyone", ["country"])
u64 = st.integers(0, 2**64 - 1)


@given(st.integers(-(2**63), 2**63 - 1), u64, u64, u64)
def test_a_token_says_again_what_it_was_told(
    as_of: int, epoch: int, sequence: int, ordinal: int
) -> None:
    """Encoding and decoding are inverse."""
    version = Version(epoch, sequence)
    token = PageToken(LISTING, as_of, version, ordinal)
    assert decode(token.encode(), LISTING, version) == token


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    """A token with any one character changed, or cut anywhere, is not a token."""
    text = PageToken(LISTING, 0, VERSION, 5).encode()
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("ABab09-_=+é").filter(lambda c: c != text[place]))
    for changed in (text[:place], text[:place] + other + text[place + 1 :], text + other):
        with pytest.raises(UserError) as caught:
            decode(changed, LISTING, VERSION)
        assert caught.value.reason is Reason.INVALID_VALUE
        assert caught.value.field == "page_token"


@given(st.text(max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    """Whatever is sent as a token is a token or a user's error."""
    with pytest.raises(UserError):
        decode(text, LISTING, VERSION)


@pytest.mark.parametrize(
    "other",
    [
        digest("other", b"everyone", ["country"]),
        digest("default", b"everyone ", ["country"]),
        digest("default", b"everyone in UTC", ["country"]),
        digest("default", b"everyone", ["city"]),
        digest("default", b"everyone", []),
    ],
)
def test_a_token_of_another_listing_is_refused(other: bytes) -> None:
    """Workspace, query and fields must be those of the first page."""
    with pytest.raises(UserError, match="another listing"):
        decode(PageToken(LISTING, 0, VERSION, 5).encode(), other, VERSION)


def test_field_names_do_not_run_together() -> None:
    """Two listings whose names join to the same text have different digests."""
    assert digest("w", b"everyone", ["ab", "c"]) != digest("w", b"everyone", ["a", "bc"])


def test_a_token_of_another_version_is_refused() -> None:
    """When the data has changed the listing begins anew."""
    with pytest.raises(UserError) as caught:
        decode(PageToken(LISTING, 0, VERSION, 5).encode(), LISTING, Version(3, 15))
    assert caught.value.reason is Reason.CONFLICT
