"""What taking down a sample costs a client, in the build that users run."""
import json
import subprocess

import pytest

from harness import BINARY

pytestmark = pytest.mark.alone


def test_a_sample_costs_less_than_ten_nanoseconds():
    """Of CPU, alone in its process; the best of a few, since others use this machine as well."""
    best = min((json.loads(subprocess.check_output([BINARY.parent / "bench" / "record", "0.1"])) for _ in range(3)),
               key=lambda cost: cost["sample_ns"])
    print(f"\n{best['sample_ns']} ns a sample, {best['operation_ns']} ns an operation")
    assert best["samples"] > 1_000_000
    assert 0 < best["sample_ns"] < 10, best
    assert best["operation_ns"] < 100, "four histograms, the counters, and those of thirty endpoints"
