"""
The server's Prometheus metrics: calls by method and status, their times, and the load of the lanes.

They have a registry of their own, so that several servers can live in one process, and a page of
their own on another port, which the server's address does not have. Observing a call costs
about 2 µs. No label holds anything of a request but its method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import prometheus_client as prometheus
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from headcount.rpc.admission import Lane
from headcount.rpc.config import split_address

# Seconds: from a cached count to the longest query, twice to three times apart.
_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The metrics of one server."""

    def __init__(self, lanes: Iterable[Lane], contacts: Callable[[], Mapping[str, int]]) -> None:
        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        self._calls = prometheus.Counter(
            "headcount_calls",
            "Calls that have ended.",
            ("method", "code"),
            registry=self.registry,
        )
        self._seconds = prometheus.Histogram(
            "headcount_call_seconds",
            "Time from taking up a call to its end.",
            ("method",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        # By method and code: to find them costs more than to count.
        self._counted: dict[tuple[str, str], tuple[prometheus.Counter, prometheus.Histogram]] = {}
        load = prometheus.Gauge(
            "headcount_lane_load",
            "Calls worked on or waiting.",
            ("lane",),
            registry=self.registry,
        )
        for lane in lanes:
            load.labels(lane.name).set_function(partial(getattr, lane, "load"))
        self.registry.register(_Sizes(contacts))

    def observe(self, method: str, code: str, seconds: float) -> None:
        """Count one call that has ended."""
        counted = self._counted.get((method, code))
        if counted is None:
            found = self._calls.labels(method, code), self._seconds.labels(method)
            counted = self._counted.setdefault((method, code), found)
        calls, times = counted
        calls.inc()
        times.observe(seconds)


class _Sizes(Collector):
    """The contacts of each workspace, counted when they are asked for."""

    def __init__(self, contacts: Callable[[], Mapping[str, int]]) -> None:
        self._contacts = contacts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge."""
        gauge = GaugeMetricFamily("headcount_contacts", "Contacts held.", labels=("workspace",))
        for workspace, count in self._contacts().items():
            gauge.add_metric((workspace,), count)
        yield gauge


class MetricsPage:
    """The page at `http://ADDRESS/metrics`, served until `stop`."""

    def __init__(self, metrics: Metrics, address: str) -> None:
        host, port = split_address(address)
        self._server, self._thread = prometheus.start_http_server(
            port, addr=host, registry=metrics.registry
        )
        self.port = self._server.server_port

    def stop(self) -> None:
        """Close the page."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
