"""What the map can show: stored layers, coverage, hotspots, tiles, files in and out."""
