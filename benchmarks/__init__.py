"""Benchmarks: asv runs `asv_suite`; `benchmarks.main_job` compares with peers."""
