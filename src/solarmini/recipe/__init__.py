"""Recipes: a file that names a chain of stages, and the build that runs what is not done yet."""
