"""Documents to chunks: along headings, tables, figures and pages, in tokens."""
