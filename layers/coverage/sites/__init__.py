"""Inner parts of siting: what is refused, what is thinned out, the search, the bound, the proof."""
