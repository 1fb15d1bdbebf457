"""What grid work has to show for itself: figures, and reports that come in."""
