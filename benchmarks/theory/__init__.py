"""Experiments on the (epsilon, delta) mode; `make evidence` runs all of them."""

import os

# Many small kernels on few processors: threads that wait should not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
