"""Training: one exact loop for continued pretraining, instructions and preferences."""
