"""Boundaries that come from elsewhere: what is wrong with them, and how that is repaired."""
