"""Settings of Hypothesis for the tests of the document."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No deadline: on a busy machine a pause of a moment is no fault of the code.
settings.register_profile("layerloom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("layerloom")
