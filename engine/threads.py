"""How torch's threads wait for each other. In force once the package is imported, before torch is.

OpenMP reads its settings once, when torch loads it. Threads that spin until there is work (its own
default) starve the window and whatever else the machine does; threads that sleep at once
(`PASSIVE` alone) are woken up a hundred times in a step, which took a third of an edit's time on
two cores. So they spin for the time between two operations and then sleep. What the environment
says already stays. GOMP_ is for GNU's OpenMP, which torch brings along on Linux; others ignore it.
"""

from __future__ import annotations

import os

if os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE").upper() == "PASSIVE":
    os.environ.setdefault("GOMP_SPINCOUNT", "5000")
