"""Proof: measures of a model, their records, comparison, sample answers and the report."""
