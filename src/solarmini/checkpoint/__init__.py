"""Checkpoints on disk: read headers, stream byte ranges, write whole or not at all."""
