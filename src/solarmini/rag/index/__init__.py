"""Files into a store: which changed, how each is read, and one transaction for each."""
