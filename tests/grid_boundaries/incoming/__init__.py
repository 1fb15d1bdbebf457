"""Tests of boundaries that come from elsewhere."""
