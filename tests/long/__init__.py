"""Tests that take too long for every run; a Makefile target names each of them."""
