"""Benchmarks: each module returns a dict of figures from `figures()`."""
