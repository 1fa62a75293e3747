"""The requests of `sending`: a part of `Requests`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from headcount.model.errors import Reason, UserError
from headcount.rpc import convert
from headcount.rpc.convert_audiences import to_audience
from headcount.segments.audience import Audience
from headcount.v1 import audiences_pb2 as pb
from headcount.v1 import common_pb2, segments_pb2


class SendingRequests:
    """Makes requests about audiences."""

    workspace: str

    def resolve(
        self,
        audience: Audience,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        fields: Sequence[str] = (),
        funnel_only: bool = False,
    ) -> pb.ResolveRequest:
        """Return the request for who may be sent to, as Arrow."""
        return pb.ResolveRequest(
            workspace=self.workspace,
            audience=message_of(audience),
            as_of=timestamp(as_of),
            time_zone=time_zone,
            funnel_only=funnel_only,
            format=segments_pb2.MEMBER_FORMAT_ARROW,
            fields=fields,
            min_version=self._version(),
        )

    def freeze(
        self,
        name: str,
        audience: Audience,
        as_of: dt.datetime | None,
        time_zone: str | None,
        fields: Sequence[str],
    ) -> pb.FreezeRequest:
        """Return the request to write down who may be sent to."""
        return pb.FreezeRequest(
            workspace=self.workspace,
            audience=message_of(audience),
            as_of=timestamp(as_of),
            time_zone=time_zone,
            name=name,
            fields=fields,
            min_version=self._version(),
        )

    def _version(self) -> common_pb2.Version | None:
        raise NotImplementedError


def message_of(audience: Audience) -> pb.Audience:
    """
    Return an audience as a message.

    Raises:
        UserError: a text that no message can hold.
    """
    try:
        return to_audience(audience)
    except UnicodeEncodeError:
        raise UserError(
            Reason.SYNTAX, "expected text that can be written as UTF-8; found half a character"
        ) from None


def timestamp(as_of: dt.datetime | None, name: str = "as_of") -> Timestamp | None:
    """
    Return an instant, the argument *name*, as a message.

    Raises:
        UserError: it has no time zone.
    """
    if as_of is None:
        return None
    if as_of.tzinfo is None:
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected {name} with a time zone, such as datetime(2026, 1, 1, tzinfo=UTC); found one"
            " without",
            field=name,
        )
    return convert.to_timestamp(convert.micros_of(as_of))
