"""Where chunks live: one SQLite file, or a PostgreSQL server with pgvector."""
