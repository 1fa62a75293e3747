"""Each kernel of the catalogue, timed by pytest-benchmark: `make bench-kernels`."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.kernels.catalogue import KERNELS


@pytest.mark.parametrize("name", KERNELS)
def test_kernel(benchmark: BenchmarkFixture, name: str) -> None:
    """One kernel on one block."""
    call = KERNELS[name]()
    call()
    benchmark(call)
