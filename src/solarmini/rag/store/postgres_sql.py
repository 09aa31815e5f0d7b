"""The SQL of the PostgreSQL store; everything lies in a schema of its own."""

SCHEMA_VERSION = "1"

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS solarmini;
CREATE TABLE IF NOT EXISTS solarmini.settings (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS solarmini.documents (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source text NOT NULL UNIQUE,
  sha256 text NOT NULL, size bigint NOT NULL, recipe text NOT NULL, format text NOT NULL,
  pages integer NOT NULL, title text, problems text NOT NULL, metadata text NOT NULL);
CREATE TABLE IF NOT EXISTS solarmini.chunks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document bigint NOT NULL REFERENCES solarmini.documents ON DELETE CASCADE,
  ordinal integer NOT NULL, section integer NOT NULL, chunk_id text NOT NULL,
  words integer NOT NULL, grams integer NOT NULL, kind text NOT NULL, heading text NOT NULL,
  first_page integer NOT NULL, last_page integer NOT NULL, tokens integer NOT NULL,
  places text NOT NULL, text text NOT NULL, markup text,
  vector vector, UNIQUE (document, ordinal));
CREATE INDEX IF NOT EXISTS chunks_by_name ON solarmini.chunks (chunk_id);
CREATE TABLE IF NOT EXISTS solarmini.postings (
  term text NOT NULL, chunk bigint NOT NULL REFERENCES solarmini.chunks ON DELETE CASCADE,
  often integer NOT NULL, length integer NOT NULL, PRIMARY KEY (term, chunk));
CREATE INDEX IF NOT EXISTS postings_of_chunk ON solarmini.postings (chunk);
CREATE TABLE IF NOT EXISTS solarmini.kept_vectors (
  chunk_id text PRIMARY KEY, vector vector NOT NULL);
"""

INSERT_DOCUMENT = """
INSERT INTO solarmini.documents
  (source, sha256, size, recipe, format, pages, title, problems, metadata)
VALUES (:source, :sha256, :size, :recipe, :format, :pages, :title, :problems, :metadata)
RETURNING id
"""

INSERT_CHUNK = """
INSERT INTO solarmini.chunks (document, ordinal, section, chunk_id, words, grams, kind, heading,
  first_page, last_page, tokens, places, text, markup, vector)
VALUES (:document, :ordinal, :section, :chunk_id, :words, :grams, :kind, :heading, :first_page,
  :last_page, :tokens, :places, :text, :markup, CAST(:vector AS vector))
RETURNING id
"""

INSERT_POSTINGS = """
INSERT INTO solarmini.postings (term, chunk, often, length)
SELECT * FROM unnest(CAST(:terms AS text[]), CAST(:chunks AS bigint[]),
  CAST(:often AS integer[]), CAST(:lengths AS integer[]))
"""

# bm25.scores in SQL; "length" is that of the chunk's words, for a bigram that of its bigrams
LEXICAL = """
SELECT p.chunk, sum(f.factor * p.often
  / (p.often + CAST(:k1 AS float8) * (1 - CAST(:b AS float8)
    + CAST(:b AS float8) * p.length / f.mean))) AS score
FROM unnest(CAST(:terms AS text[]), CAST(:factors AS float8[]), CAST(:means AS float8[]))
  AS f (term, factor, mean)
JOIN solarmini.postings p ON p.term = f.term
WHERE {among}
GROUP BY p.chunk ORDER BY score DESC, p.chunk LIMIT :most
"""

DENSE = """
SELECT id, -(vector::vector({dimension}) <#> CAST(:vector AS vector({dimension}))) FROM
solarmini.chunks WHERE vector IS NOT NULL AND {among}
ORDER BY vector::vector({dimension}) <#> CAST(:vector AS vector({dimension})) LIMIT :most
"""

INDEX_VECTORS = """
CREATE INDEX IF NOT EXISTS chunks_by_vector ON solarmini.chunks
USING hnsw ((vector::vector({dimension})) vector_ip_ops)
"""

CHUNKS = """
SELECT c.id, c.ordinal, c.chunk_id, c.kind, c.text, c.heading, c.places, c.tokens, c.section,
  c.markup, d.source, d.sha256, d.size, d.recipe, d.format, d.pages, d.title, d.problems,
  d.metadata
FROM solarmini.chunks c JOIN solarmini.documents d ON d.id = c.document
WHERE c.id = ANY(CAST(:rows AS bigint[]))
"""

PROBLEMS = {
    "chunks without terms": (
        "SELECT count(*) FROM solarmini.chunks c WHERE words + grams > 0 AND NOT EXISTS"
        " (SELECT 1 FROM solarmini.postings p WHERE p.chunk = c.id)"
    ),
    "chunks whose terms are not all there": (
        "SELECT count(*) FROM solarmini.chunks c JOIN (SELECT chunk, sum(often) AS often FROM"
        " solarmini.postings GROUP BY chunk) p ON p.chunk = c.id"
        " WHERE p.often <> c.words + c.grams"
    ),
    "gaps in the order of a document's chunks": (
        "SELECT count(*) FROM (SELECT document FROM solarmini.chunks GROUP BY document"
        " HAVING max(ordinal) + 1 <> count(*) OR min(ordinal) <> 0) AS gaps"
    ),
    "chunks without a vector": (
        "SELECT count(*) FROM solarmini.chunks WHERE vector IS NULL"
        " OR vector_dims(vector) <> {dimension}"
    ),
}
