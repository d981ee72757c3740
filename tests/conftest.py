"""Profiles of hypothesis: `--hypothesis-profile=thorough` looks much longer."""

import os

from hypothesis import HealthCheck, settings

# Threads that wait without spinning: many small kernels on few, shared processors.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# No deadline: the machines that run this differ, and no law speaks of time.
settings.register_profile(
    "default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", settings.get_profile("default"), max_examples=1000, derandomize=False
)
settings.load_profile("default")
