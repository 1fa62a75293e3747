"""The service `Contacts`: convert, call, convert."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from headcount.ingest.records import DeleteRecord, Record, SuppressRecord
from headcount.members import states
from headcount.model.errors import Reason, UserError
from headcount.query.chosen import chosen
from headcount.rpc import convert, convert_writes
from headcount.rpc.call import Call
from headcount.rpc.config import CallSettings
from headcount.rpc.questions import Questions
from headcount.rpc.writes import WriteRequest, Writes
from headcount.v1 import contacts_pb2 as pb
from headcount.v1 import writes_pb2


class Contacts:
    """Makes, changes, returns, merges, suppresses and deletes contacts by their ids."""

    def __init__(self, writes: Writes, questions: Questions, settings: CallSettings) -> None:
        self._writes = writes
        self._questions = questions
        self._settings = settings

    def Upsert(  # noqa: N802 (the name is the method's)
        self, request: pb.ContactsUpsertRequest, call: Call
    ) -> pb.ContactsUpsertResponse:
        """Make contacts or change them, and return which were refused."""
        return pb.ContactsUpsertResponse(result=self._changed(request, call, creates=True))

    def Patch(  # noqa: N802
        self, request: pb.ContactsPatchRequest, call: Call
    ) -> pb.ContactsPatchResponse:
        """Change contacts there are, and return which were refused."""
        return pb.ContactsPatchResponse(result=self._changed(request, call, creates=False))

    def Delete(  # noqa: N802
        self, request: pb.ContactsDeleteRequest, call: Call
    ) -> pb.ContactsDeleteResponse:
        """Delete contacts, and return which were refused."""
        records = [DeleteRecord(contact, request.erase) for contact in request.ids]
        result = self._written(request, call, records)
        if request.erase and result.refused_count:
            self._writes.erase_gone(request.workspace, request.ids)
        return pb.ContactsDeleteResponse(result=result)

    def Merge(  # noqa: N802
        self, request: pb.ContactsMergeRequest, call: Call
    ) -> pb.ContactsMergeResponse:
        """Merge contacts, and return which pairs were refused."""
        records = [convert_writes.pair(pair) for pair in request.pairs]
        return pb.ContactsMergeResponse(result=self._written(request, call, records))

    def Suppress(  # noqa: N802
        self, request: pb.ContactsSuppressRequest, call: Call
    ) -> pb.ContactsSuppressResponse:
        """Put ids on the suppression list, and return which were refused."""
        records = [SuppressRecord(contact, True) for contact in request.ids]
        return pb.ContactsSuppressResponse(result=self._written(request, call, records))

    def Unsuppress(  # noqa: N802
        self, request: pb.ContactsUnsuppressRequest, call: Call
    ) -> pb.ContactsUnsuppressResponse:
        """Take ids off the suppression list, and return which were refused."""
        records = [SuppressRecord(contact, False) for contact in request.ids]
        return pb.ContactsUnsuppressResponse(result=self._written(request, call, records))

    def WriteArrow(  # noqa: N802
        self, request: pb.ContactsWriteArrowRequest, call: Call
    ) -> pb.ContactsWriteArrowResponse:
        """Make or change contacts from Arrow record batches, and return which were refused."""
        submitted = self._writes.contacts(
            request, call, request.batches, creates=not request.existing_only
        )
        return pb.ContactsWriteArrowResponse(result=submitted.result(call.remaining))

    def Write(  # noqa: N802
        self, call: Call
    ) -> Callable[[pb.ContactsWriteRequest], Callable[[], pb.ContactsWriteResponse]]:
        """Return what takes the batches of one stream of mutations."""
        workspace: str | None = None
        batches = 0

        def take(request: pb.ContactsWriteRequest) -> Callable[[], pb.ContactsWriteResponse]:
            nonlocal workspace, batches
            if workspace is None:
                workspace = request.workspace
            elif request.workspace not in ("", workspace):
                raise UserError(
                    Reason.INVALID_VALUE,
                    "a stream writes to one workspace; expected that of its first message, or none",
                    field="workspace",
                )
            request.workspace = workspace
            submitted = self._writes.records(
                request,
                call,
                len(request.mutations),
                lambda: map(convert_writes.mutation, request.mutations),
            )
            number, batches = batches, batches + 1

            def answer() -> pb.ContactsWriteResponse:
                result = submitted.result(self._settings.query_seconds)
                if result.refused_count:
                    gone = [each.delete.id for each in request.mutations if each.delete.erase]
                    if gone:
                        self._writes.erase_gone(request.workspace, gone)
                return pb.ContactsWriteResponse(batch=number, result=result)

            return answer

        return take

    def Get(  # noqa: N802
        self, request: pb.ContactsGetRequest, call: Call
    ) -> pb.ContactsGetResponse:
        """Return contacts by their ids."""
        most = self._settings.page_size_max
        if len(request.ids) > most:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"expected at most {most:,} ids, found {len(request.ids):,}; send several calls",
                field="ids",
            )
        asked = self._questions.about(request, call)
        columns = chosen(asked.engine, request.fields, asked.context) if request.fields else None
        found = states.read(asked.view, request.ids, columns)
        known = [state for state in found if state is not None]
        call.notes["members"] = len(known)
        pairs = zip(request.ids, found, strict=True)
        return pb.ContactsGetResponse(
            contacts=map(convert.to_state, known),
            unknown_ids=[contact for contact, state in pairs if state is None],
            info=asked.info(),
        )

    def _changed(
        self,
        request: pb.ContactsUpsertRequest | pb.ContactsPatchRequest,
        call: Call,
        *,
        creates: bool,
    ) -> writes_pb2.WriteResult:
        records = [*map(partial(convert_writes.contact, creates=creates), request.contacts)]
        return self._written(request, call, records)

    def _written(
        self, request: WriteRequest, call: Call, records: Sequence[Record]
    ) -> writes_pb2.WriteResult:
        submitted = self._writes.records(request, call, len(records), partial(iter, records))
        return submitted.result(call.remaining)
