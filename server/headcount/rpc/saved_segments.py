"""The service `SavedSegments`: convert, call, convert."""

from __future__ import annotations

from headcount.members import pages
from headcount.rpc import convert
from headcount.rpc.call import Call
from headcount.rpc.config import CallSettings
from headcount.rpc.questions import Questions
from headcount.segments.keeper import Change
from headcount.v1 import saved_segments_pb2 as pb


class SavedSegments:
    """Keeps segments under names."""

    def __init__(self, questions: Questions, settings: CallSettings) -> None:
        self._questions = questions
        self._settings = settings

    def Create(  # noqa: N802 (the name is the method's)
        self, request: pb.SavedSegmentsCreateRequest, call: Call
    ) -> pb.SavedSegmentsCreateResponse:
        """Save a segment under a new name, and return it."""
        keeper, context = self._questions.saving(request.workspace, call)
        query = self._questions.query(request.query, keeper.engine)
        tags = tuple(request.tags)
        kept = keeper.create(
            request.name,
            query,
            request.description,
            tags,
            context,
            for_send=request.for_send,
        )
        return pb.SavedSegmentsCreateResponse(
            segment=convert.to_saved(kept.definition, kept.dependants),
            warnings=map(convert.to_warning, kept.warnings),
        )

    def Get(  # noqa: N802
        self, request: pb.SavedSegmentsGetRequest, call: Call
    ) -> pb.SavedSegmentsGetResponse:
        """Return one saved segment with its dependants."""
        keeper, _ = self._questions.saving(request.workspace, call)
        kept = keeper.get(request.name)
        return pb.SavedSegmentsGetResponse(
            segment=convert.to_saved(kept.definition, kept.dependants)
        )

    def List(  # noqa: N802
        self, request: pb.SavedSegmentsListRequest, call: Call
    ) -> pb.SavedSegmentsListResponse:
        """Return one page of the saved segments, by name."""
        keeper, _ = self._questions.saving(request.workspace, call)
        settings = self._settings
        size = pages.size(request.page_size, settings.page_size, settings.page_size_max)
        found, token = keeper.page(size, request.page_token, request.tag)
        call.notes["segments"] = len(found)
        return pb.SavedSegmentsListResponse(
            segments=map(convert.to_saved, found), next_page_token=token
        )

    def Update(  # noqa: N802
        self, request: pb.SavedSegmentsUpdateRequest, call: Call
    ) -> pb.SavedSegmentsUpdateResponse:
        """Change a saved segment, and return it as it is then."""
        keeper, context = self._questions.saving(request.workspace, call)
        change = Change(
            name=request.new_name if request.HasField("new_name") else None,
            query=(
                self._questions.query(request.query, keeper.engine)
                if request.HasField("query")
                else None
            ),
            description=request.description if request.HasField("description") else None,
            tags=tuple(request.tags.values) if request.HasField("tags") else None,
        )
        kept = keeper.update(request.name, change, request.etag, context, for_send=request.for_send)
        return pb.SavedSegmentsUpdateResponse(
            segment=convert.to_saved(kept.definition, kept.dependants),
            warnings=map(convert.to_warning, kept.warnings),
        )

    def Delete(  # noqa: N802
        self, request: pb.SavedSegmentsDeleteRequest, call: Call
    ) -> pb.SavedSegmentsDeleteResponse:
        """Remove a saved segment."""
        keeper, _ = self._questions.saving(request.workspace, call)
        keeper.delete(request.name, request.etag)
        return pb.SavedSegmentsDeleteResponse()
