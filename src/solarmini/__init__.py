"""Solar Mini: grow a language model, teach it, prove it, and talk to it."""

__version__ = "0.1.0"
