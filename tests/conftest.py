"""What holds for all tests: gRPC as a server has it; Hypothesis judges answers, not their time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

import headcount.rpc.before_grpc  # noqa: F401

settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
