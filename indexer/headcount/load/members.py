"""
The contacts that events and list rows name: their ordinals, made where that was asked for.

Contacts files are read first, so it does not matter which files come first on the command line. An
id that no contact has is refused, or with `create` becomes a contact with nothing but its id.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from headcount.load.known_ids import UNKNOWN, KnownIds
from headcount.load.sieve import Rows, Sieve

_REASON = "no contact has this id; load the contact first, or create such contacts with the load"


class Members:
    """Finds the contacts of rows, or makes them."""

    def __init__(self, known: KnownIds, *, create: bool) -> None:
        self._known = known
        self._create = create
        self.created = 0

    def find(self, sieve: Sieve, ids: pa.StringArray, column: str) -> Rows:
        """Return the ordinals of *ids*; unless they are to be made, refuse rows of unknown ones."""
        wanted = pc.fill_null(ids, "")
        found = self._known.lookup(wanted)
        if not self._create:
            sieve.refuse_all((found == UNKNOWN) & sieve.good, column, wanted, _REASON)
        return found

    def made(self, ids: pa.StringArray, found: Rows) -> Rows:
        """Return what `find` *found* for the *ids* of good rows, with the missing contacts made."""
        unknown = found == UNKNOWN
        if not unknown.any():
            return found
        assert self._create
        wanted = ids.filter(pa.array(unknown)).dictionary_encode()
        # Some may have been made since they were looked for, by other rows of the batch.
        ordinals = self._known.lookup(wanted.dictionary)
        new = ordinals == UNKNOWN
        ordinals[new] = self._known.count + new[new].cumsum() - 1
        self._known.add(wanted.dictionary.filter(pa.array(new)))
        self.created += int(new.sum())
        found = found.copy()
        found[unknown] = ordinals[wanted.indices.to_numpy()]
        return found
