"""OpenMP's settings are there before torch is, and what the environment says stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SHOW = (
    "import os, sys, engine; "
    "print('torch' in sys.modules, os.environ['OMP_WAIT_POLICY'], os.environ.get('GOMP_SPINCOUNT'))"
)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, "False PASSIVE 5000"),
        ({"OMP_WAIT_POLICY": "passive"}, "False passive 5000"),
        ({"GOMP_SPINCOUNT": "7"}, "False PASSIVE 7"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "False ACTIVE None"),
    ],
)
def test_threads_spin_shortly_unless_told_otherwise(given: dict[str, str], seen: str) -> None:
    rest = {k: v for k, v in os.environ.items() if k not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env={**rest, **given}, capture_output=True, text=True
    )
    assert done.stdout.strip() == seen, done.stderr
