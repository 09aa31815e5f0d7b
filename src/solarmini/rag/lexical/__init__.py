"""Words to search by: Korean morphemes and bigrams, English stems, typos, BM25."""
