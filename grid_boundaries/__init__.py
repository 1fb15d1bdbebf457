"""What a grid is and how it may change, with the small kernel under everything."""
