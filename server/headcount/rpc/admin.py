"""The service `Admin`: convert, call, convert."""

from __future__ import annotations

from headcount.index import stats
from headcount.rpc import convert
from headcount.rpc.call import Call
from headcount.rpc.questions import Questions
from headcount.v1 import admin_pb2


class Admin:
    """Answers questions about workspaces themselves."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def GetSchema(  # noqa: N802 (the name is the method's)
        self, request: admin_pb2.GetSchemaRequest, call: Call
    ) -> admin_pb2.GetSchemaResponse:
        """Return the names and types of a workspace."""
        asked = self._questions.about(request, call)
        return admin_pb2.GetSchemaResponse(
            schema=convert.to_schema(asked.view.schema), info=asked.info()
        )

    def Stats(  # noqa: N802
        self, request: admin_pb2.StatsRequest, call: Call
    ) -> admin_pb2.StatsResponse:
        """Return how large a workspace is."""
        asked = self._questions.about(request, call)
        found = stats.measure(asked.view)
        return admin_pb2.StatsResponse(
            contacts=found.contacts,
            blocks=found.blocks,
            events=convert.to_counts(found.events),
            bytes_by_kind=convert.to_counts(found.bytes_by_kind),
            bytes_by_index=convert.to_counts(found.bytes_by_index),
            info=asked.info(),
        )
