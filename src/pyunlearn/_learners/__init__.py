"""Learners: topics as deterministic functions of the statistics."""
