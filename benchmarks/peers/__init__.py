"""Beside what users have: `python -m benchmarks.peers.compare`."""
