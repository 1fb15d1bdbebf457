"""Benchmarks: speed and calibration beside the peers, one module per subject."""
