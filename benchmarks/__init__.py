"""Benchmarks: asv reads the `bench_*` modules; `python -m benchmarks.main_job` compares with peers."""
