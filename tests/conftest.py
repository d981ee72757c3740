"""Profiles of hypothesis: `--hypothesis-profile=thorough` looks much longer.

`--all-extras` says that every optional module is here: a test that misses one fails.
"""

import importlib
import os

import pytest
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


def pytest_addoption(parser):
    parser.addoption("--all-extras", action="store_true", help="a missing module is a failure")


def pytest_configure(config):
    if config.getoption("--all-extras"):
        pytest.importorskip = lambda name, **_: importlib.import_module(name)
