"""HTTP: what OpenAI's and Upstage's clients speak, and our own routes beside it."""
