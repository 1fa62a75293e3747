"""Between messages and values: audiences in, funnels out. Clients use the inverse of each."""

from __future__ import annotations

from headcount.query.bound import QueryWarning
from headcount.query.forms import Query, json_of
from headcount.query.proto import to_proto
from headcount.rpc import convert
from headcount.segments.audience import Audience, Funnel, Step, StepCount
from headcount.v1 import audiences_pb2 as pb

_STEPS = {
    Step.EXCLUDED: pb.AUDIENCE_STEP_EXCLUDED,
    Step.NOT_ACTIVE: pb.AUDIENCE_STEP_NOT_ACTIVE,
    Step.OPTED_OUT: pb.AUDIENCE_STEP_OPTED_OUT,
    Step.SUPPRESSED: pb.AUDIENCE_STEP_SUPPRESSED,
    Step.HARD_BOUNCE: pb.AUDIENCE_STEP_HARD_BOUNCE,
}
_STEP_OF = {number: step for step, number in _STEPS.items()}


def to_audience(audience: Audience) -> pb.Audience:
    """Return an audience as a message."""
    return pb.Audience(
        include=map(_to_source, audience.include),
        exclude=map(_to_source, audience.exclude),
        list=audience.on_list,
    )


def _to_source(query: Query) -> pb.AudienceSource:
    if isinstance(query, str):
        return pb.AudienceSource(text=query)
    if isinstance(query, dict):
        return pb.AudienceSource(json=json_of(query))
    return pb.AudienceSource(segment=to_proto(query))


def to_funnel(funnel: Funnel) -> pb.Funnel:
    """Return a funnel as a message; its warnings travel beside it."""
    return pb.Funnel(
        matched=funnel.matched,
        steps=[
            pb.FunnelStep(step=_STEPS[one.step], removed=one.removed, left=one.left)
            for one in funnel.steps
        ],
        sendable=funnel.sendable,
        without_status=funnel.without_status,
        include=funnel.include,
        exclude=funnel.exclude,
        lists=funnel.lists,
        saved=dict(funnel.saved),
    )


def funnel(message: pb.Funnel, warnings: tuple[QueryWarning, ...]) -> Funnel:
    """Return the funnel of a message; a step that this client does not know is left out."""
    return Funnel(
        matched=message.matched,
        steps=tuple(
            StepCount(_STEP_OF[one.step], one.removed, one.left)
            for one in message.steps
            if one.step in _STEP_OF
        ),
        without_status=message.without_status,
        include=tuple(message.include),
        exclude=tuple(message.exclude),
        lists=tuple(message.lists),
        saved=tuple(sorted(message.saved.items())),
        warnings=warnings,
    )


def answered(message: pb.ResolveResponse | pb.FreezeResponse) -> Funnel:
    """Return the funnel of an answer, with its warnings."""
    return funnel(message.funnel, tuple(map(convert.warning, message.warnings)))
