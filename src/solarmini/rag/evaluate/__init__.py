"""How well a knowledge base finds and answers: a file of questions in, figures and a report out."""
