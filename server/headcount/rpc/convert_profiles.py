"""Profiles to messages and back."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from headcount.answers import Info
from headcount.query.profile import BlockShare, Operator, Profile
from headcount.rpc import convert
from headcount.v1 import answers_pb2 as pb


def to_profile(profile: Profile) -> pb.QueryProfile:
    """Return a profile as a message."""
    stages = {stage: convert.to_duration(took) for stage, took in profile.stages.items()}
    return pb.QueryProfile(
        count=profile.count,
        parse=stages["parse"],
        bind=stages["bind"],
        plan=stages["plan"],
        evaluate=stages["evaluate"],
        operands=profile.operands,
        negated=profile.negated,
        root=_to_operator(profile.root),
        blocks=map(_to_block, profile.blocks),
    )


def _to_operator(operator: Operator) -> pb.ProfiledOperator:
    return pb.ProfiledOperator(
        text=operator.text,
        negated=operator.negated,
        calls=operator.calls,
        recalled=operator.recalled,
        rows=operator.rows,
        estimate=operator.estimate,
        bytes=operator.bytes,
        elapsed=convert.to_duration(operator.seconds),
        parts=map(_to_operator, operator.parts),
    )


def _to_block(share: BlockShare) -> pb.ProfiledBlock:
    return pb.ProfiledBlock(
        number=share.number,
        contacts=share.contacts,
        count=share.count,
        elapsed=convert.to_duration(share.seconds),
    )


def profile(message: pb.QueryProfile, contacts: int, info: Info) -> Profile:
    """Return the profile of a message, of so many *contacts*."""
    return Profile(
        count=message.count,
        contacts=contacts,
        as_of=info.as_of.astimezone(ZoneInfo(info.time_zone)),
        time_zone=info.time_zone,
        stages={
            "parse": convert.seconds_of(message.parse),
            "bind": convert.seconds_of(message.bind),
            "plan": convert.seconds_of(message.plan),
            "evaluate": convert.seconds_of(message.evaluate),
        },
        operands=message.operands,
        negated=message.negated,
        root=_operator(message.root),
        blocks=tuple(
            BlockShare(one.number, one.contacts, one.count, convert.seconds_of(one.elapsed))
            for one in message.blocks
        ),
    )


def _operator(message: pb.ProfiledOperator) -> Operator:
    return Operator(
        text=message.text,
        negated=message.negated,
        calls=message.calls,
        recalled=message.recalled,
        rows=message.rows,
        estimate=message.estimate,
        bytes=message.bytes,
        seconds=convert.seconds_of(message.elapsed),
        parts=tuple(map(_operator, message.parts)),
    )
