"""
Documents: what a file of contacts is of, as JSON holds it.

Written into Parquet's metadata, and beside a CSV file, so that whoever finds a list later knows
which data it was read from, when it was true, and by what definition. The same version and instant
give the same contacts again.
"""

from __future__ import annotations

from collections.abc import Sequence

from headcount.answers import Info
from headcount.segments.audience import Funnel


def segment_document(
    workspace: str, text: str, info: Info, fields: Sequence[str]
) -> dict[str, object]:
    """Return the document of a file with the members of the segment *text*."""
    return {"kind": "segment", **_read(workspace, info, fields), "segment": text}


def audience_document(
    workspace: str, funnel: Funnel, info: Info, fields: Sequence[str]
) -> dict[str, object]:
    """Return the document of a file with those of an audience who may be sent to."""
    return {"kind": "audience", **_read(workspace, info, fields), **funnel_document(funnel)}


def funnel_document(funnel: Funnel) -> dict[str, object]:
    """Return a definition and its funnel; steps are named as in docs/audiences.md."""
    return {
        "include": list(funnel.include),
        "exclude": list(funnel.exclude),
        "lists": list(funnel.lists),
        "saved": dict(funnel.saved),
        "matched": funnel.matched,
        "steps": [
            {"step": str(one.step), "removed": one.removed, "left": one.left}
            for one in funnel.steps
        ],
        "without_status": funnel.without_status,
        "sendable": funnel.sendable,
    }


def _read(workspace: str, info: Info, fields: Sequence[str]) -> dict[str, object]:
    return {
        "workspace": workspace,
        "version": str(info.version),
        "as_of": info.as_of.isoformat(),
        "time_zone": info.time_zone,
        "fields": list(fields),
    }
