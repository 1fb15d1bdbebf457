"""Ways of dividing ground by the people on it."""
