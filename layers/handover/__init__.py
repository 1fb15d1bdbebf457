"""What changes hands when grids are redrawn: who gives what to whom, in lists and counts."""
