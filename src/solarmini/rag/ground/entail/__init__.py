"""Does a text entail a claim? A small network that reads both at once."""
