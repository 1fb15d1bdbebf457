"""Plans and grids as files: what is written for others, and what a file that comes back says."""
