"""Benchmarks: modules whose `figures()` return measured numbers, one subject each."""
