"""
A definition: one saved segment, as it is asked to be, held in memory, and stored.

    Draft --checked--> Definition --to_document--> JSON of a row --from_document--> Definition

The segment is kept as its canonical text: names and texts are all that a backup needs, and the tree
is had by parsing. The etag is the number of the change before a digest of the content, so that a
segment that is deleted and saved again as it was has another one.
"""

from __future__ import annotations

import hashlib
import json
import sys
import unicodedata
from dataclasses import dataclass, field, replace

from headcount.model.errors import Reason, UserError
from headcount.model.fold import key
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.limits import Limits
from headcount.query.parse import parse
from headcount.query.rules import text_fault
from headcount.query.saved import memberships
from headcount.query.tree import InSegment, Segment

MAX_NAME = 200  # code points
MAX_DESCRIPTION = 10_000
MAX_TAGS = 50
MAX_TAG = 100

# What was accepted once is read again, whatever the limits are now; and canonical text may be
# longer than what was typed.
_ACCEPTED = Limits(
    text_bytes=sys.maxsize, conditions=sys.maxsize, values=sys.maxsize, periods=sys.maxsize
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to save. `source` is what the segment was parsed from, for errors."""

    name: str
    segment: Segment
    description: str = ""
    tags: tuple[str, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """
    One saved segment. `text` is canonical, and the spans of `segment` lie in it.

    `uses` are the keys of the saved segments that it names. Times are microseconds since 1970, UTC.
    """

    name: str
    text: str
    description: str
    tags: tuple[str, ...]
    etag: str
    created_at: int
    updated_at: int
    segment: Segment = field(init=False, repr=False)
    uses: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Parse the text."""
        segment = parse(self.text, _ACCEPTED)
        uses = dict.fromkeys(key(node.name) for node in memberships(segment))
        object.__setattr__(self, "segment", segment)
        object.__setattr__(self, "uses", tuple(uses))

    @classmethod
    def of(cls, draft: Draft, revision: int, created_at: int, updated_at: int) -> Definition:
        """Return the definition of a checked draft, saved by the change number *revision*."""
        text = canonical(draft.segment)
        content = json.dumps([draft.name, text, draft.description, draft.tags])
        digest = hashlib.blake2b(content.encode(), digest_size=8).hexdigest()
        return cls(
            draft.name,
            text,
            draft.description,
            draft.tags,
            f"{revision}-{digest}",
            created_at,
            updated_at,
        )

    def draft(self) -> Draft:
        """Return what saves it as it is, to be changed by `dataclasses.replace`."""
        return Draft(self.name, self.segment, self.description, self.tags, self.text)

    def says(self, draft: Draft) -> bool:
        """Return whether a checked draft would change nothing."""
        return (self.name, self.description, self.tags, self.segment) == (
            draft.name,
            draft.description,
            draft.tags,
            draft.segment,
        )

    def to_document(self) -> str:
        """Return all but the name as JSON, for a row under that name."""
        content = {
            "text": self.text,
            "description": self.description,
            "tags": self.tags,
            "etag": self.etag,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_document(cls, name: str, document: str) -> Definition:
        """
        Return what `to_document` made a document of.

        Raises:
            KeyError, TypeError, ValueError, UserError: it made no such document.
        """
        content = json.loads(document)
        texts = [content[member] for member in ("text", "description", "etag")]
        times = [content[member] for member in ("created_at", "updated_at")]
        tags = tuple(content["tags"])
        if any(not isinstance(text, str) for text in (*texts, *tags)):
            raise TypeError("expected texts")
        if any(type(time) is not int for time in times):
            raise TypeError("expected whole numbers")
        text, description, etag = texts
        return cls(name, text, description, tags, etag, *times)


def renamed(segment: Segment, before: str, after: str) -> Segment:
    """Return *segment* with the saved segment *before*, in any case, called *after*."""
    match segment:
        case InSegment(name) if key(name) == key(before):
            return replace(segment, name=after)
        case tree.And() | tree.Or():
            return replace(segment, items=tuple(renamed(i, before, after) for i in segment.items))
        case tree.Not():
            return replace(segment, item=renamed(segment.item, before, after))
    return segment


def checked(draft: Draft) -> Draft:
    """
    Return *draft* with its texts in NFC.

    Raises:
        UserError: INVALID_VALUE, with the field that is empty, too long or no Unicode.
    """
    name = _text(draft.name, "name", MAX_NAME)
    if not name:
        raise UserError(Reason.INVALID_VALUE, "expected a name, found none", field="name")
    description = _text(draft.description, "description", MAX_DESCRIPTION)
    if len(draft.tags) > MAX_TAGS:
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected at most {MAX_TAGS} tags, found {len(draft.tags)}",
            field="tags",
        )
    tags: dict[str, str] = {}
    for i, tag in enumerate(draft.tags):
        text = _text(tag, f"tags[{i}]", MAX_TAG)
        if not text:
            raise UserError(Reason.INVALID_VALUE, "expected a tag, found none", field=f"tags[{i}]")
        tags.setdefault(key(text), text)
    return replace(draft, name=name, description=description, tags=tuple(tags.values()))


def _text(value: str, path: str, longest: int) -> str:
    """Return *value* in NFC; refuse one that is too long or no Unicode."""
    fault = text_fault(value)
    text = unicodedata.normalize("NFC", value)
    if fault is None and len(text) > longest:
        fault = f"expected at most {longest:,} characters, found {len(text):,}"
    if fault is not None:
        raise UserError(Reason.INVALID_VALUE, fault, field=path)
    return text
