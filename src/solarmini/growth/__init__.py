"""Growing a model in depth: a plan of layers as pure data, one writer that carries it out."""
