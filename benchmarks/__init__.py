"""Benchmarks: asv reads the `bench_*` modules; `benchmarks.main_job` compares with peers."""
