"""Networks that can be trained, by name."""
