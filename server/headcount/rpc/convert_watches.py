"""Between watches and their messages."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

from headcount import answers_watch as answers
from headcount.model.errors import Reason as Why
from headcount.model.errors import UserError
from headcount.rpc import convert
from headcount.segments.watch.opening import Watch
from headcount.segments.watch.transitions import (
    Kind,
    Reason,
    Reentry,
    Settings,
    Transition,
)
from headcount.storage.watches import DeadLetter
from headcount.v1 import watches_pb2 as pb

_KINDS = {
    Kind.ENTER: pb.TRANSITION_KIND_ENTER,
    Kind.EXIT: pb.TRANSITION_KIND_EXIT,
}
_REASONS = {
    Reason.DATA: pb.TRANSITION_REASON_DATA,
    Reason.TIME: pb.TRANSITION_REASON_TIME,
    Reason.DEFINITION: pb.TRANSITION_REASON_DEFINITION,
}
_REENTRIES = {
    Reentry.ALWAYS: pb.REENTRY_ALWAYS,
    Reentry.ONCE: pb.REENTRY_ONCE,
    Reentry.AFTER: pb.REENTRY_AFTER,
}
_KIND_OF = {number: kind for kind, number in _KINDS.items()}
_REASON_OF = {number: reason for reason, number in _REASONS.items()}
_REENTRY_OF = {number: reentry for reentry, number in _REENTRIES.items()}


# --- to messages ------------------------------------------------------------------------------


def to_transition(found: Transition) -> pb.Transition:
    """Return the message of a transition."""
    return pb.Transition(
        number=found.number,
        contact=found.contact,
        kind=_KINDS[found.kind],
        reason=_REASONS[found.reason],
        at=convert.to_timestamp(found.at),
        version=convert.to_version(found.version),
    )


def to_settings(found: Settings) -> pb.WatchSettings:
    """Return the message of settings."""
    message = pb.WatchSettings(seed=found.seed, reentry=_REENTRIES[found.reentry])
    if found.pause:
        message.pause.FromMicroseconds(found.pause)
    return message


def to_watch(watch: Watch, token: str, delivered: int) -> pb.NamedWatch:
    """Return the message of a watch; *token* is that behind its last transition."""
    spec, membership = watch.spec, watch.membership
    return pb.NamedWatch(
        name=spec.name,
        text=spec.text,
        time_zone=spec.zone,
        settings=to_settings(spec.settings),
        created_at=convert.to_timestamp(spec.created_at),
        size=0 if membership is None else membership.size,
        number=watch.feed.bookmark.number,
        token=token,
        fault="" if watch.fault is None else watch.fault.message,
        endpoint="" if spec.endpoint is None else spec.endpoint.url,
        delivered=delivered,
        exact=membership is not None and membership.is_exact,
    )


def to_letter(letter: DeadLetter) -> pb.DeadLetter:
    """Return the message of a dead letter."""
    return pb.DeadLetter(
        id=letter.id,
        first=letter.first,
        last=letter.last,
        attempts=letter.attempts,
        at=convert.to_timestamp(letter.at),
        error=letter.error,
    )


# --- from messages ----------------------------------------------------------------------------


def settings(message: pb.WatchSettings) -> Settings:
    """
    Return the settings of a message.

    Raises:
        UserError: a number that stands for nothing, or a pause that is none.
    """
    reentry = _REENTRY_OF.get(message.reentry or pb.REENTRY_ALWAYS)
    if reentry is None:
        raise UserError(
            Why.INVALID_VALUE,
            f"expected a value of Reentry, found {message.reentry}",
            field="settings.reentry",
        )
    pause: Duration = message.pause
    micros = pause.seconds * 1_000_000 + pause.nanos // 1000
    if micros < 0 or micros > _LONGEST_US:
        raise UserError(
            Why.INVALID_VALUE,
            f"expected a pause of up to 1,000 years, found {micros / 1e6:g} s",
            field="settings.pause",
        )
    return Settings(message.seed, reentry, micros)


_LONGEST_US = 1000 * 366 * 86_400 * 1_000_000


def transition(message: pb.Transition) -> answers.Transition:
    """Return the transition of a message."""
    return answers.Transition(
        message.number,
        message.contact,
        _KIND_OF[message.kind],
        _REASON_OF[message.reason],
        convert.moment(message.at),
        convert.version(message.version),
    )


def told(message: pb.WatchResponse) -> answers.Told:
    """Return what a message of a stream says."""
    return answers.Told(
        tuple(map(transition, message.transitions)),
        message.token,
        convert.moment(message.instant),
        convert.version(message.version),
    )


def watch(message: pb.NamedWatch) -> answers.NamedWatch:
    """Return the watch of a message."""
    return answers.NamedWatch(
        name=message.name,
        text=message.text,
        time_zone=message.time_zone,
        settings=settings(message.settings),
        created_at=convert.moment(message.created_at),
        size=message.size,
        number=message.number,
        token=message.token,
        fault=message.fault,
        endpoint=message.endpoint,
        delivered=message.delivered,
        exact=message.exact,
    )


def letter(message: pb.DeadLetter) -> answers.DeadLetter:
    """Return the dead letter of a message."""
    return answers.DeadLetter(
        message.id,
        message.first,
        message.last,
        message.attempts,
        convert.moment(message.at),
        message.error,
    )
