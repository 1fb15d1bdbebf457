"""Pages to be printed: reports, lists and maps for meetings and notice boards."""
