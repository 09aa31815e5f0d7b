"""Private documents in, passages with page and box out: chunk, index, search."""
