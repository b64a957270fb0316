"""One training loop and an objective for each network."""
