"""Texts to vectors: a model in a wheel by default, any other by name."""
