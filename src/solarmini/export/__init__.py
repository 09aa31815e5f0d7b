"""Model folders as files that other engines load: GGUF of any precision, safetensors."""
