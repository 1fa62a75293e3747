"""
Forms: what a program may ask with, and each form turned into what travels.

A query is text, a tree, or a document of the JSON form: the dicts and lists of `json.loads`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.json_reader import from_document
from headcount.query.limits import Limits

Query = str | tree.Segment | dict[str, Any]

# Whoever answers has the limits; depth alone is limited here, by the stack.
_UNLIMITED = Limits(
    text_bytes=sys.maxsize, conditions=sys.maxsize, values=sys.maxsize, periods=sys.maxsize
)


def text_of(query: Query) -> str:
    """
    Return a query as text: as it was written, or canonical.

    Raises:
        UserError: a document that is no segment, or a tree nested too deep.
    """
    if isinstance(query, str):
        return query
    return canonical(from_document(query, _UNLIMITED) if isinstance(query, dict) else query)


def json_of(document: dict[str, Any]) -> str:
    """
    Return a document as JSON text, with its own keys and spellings, so that errors name them.

    Raises:
        UserError: it is no segment, or holds what JSON cannot, such as a set or a key twice.
    """
    from_document(document, _UNLIMITED)
    return json.dumps(document, ensure_ascii=False)
