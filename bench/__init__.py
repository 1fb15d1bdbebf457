"""Figures of docs/benchmarks.md: each module's `figures()` returns names and numbers."""
