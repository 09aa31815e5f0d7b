"""Messages to token ids: chat templates and the supervised mask."""

from solarmini.text.chat import ChatFormat, Encoded, Message
from solarmini.text.tokenizer import load_tokenizer

__all__ = ["ChatFormat", "Encoded", "Message", "load_tokenizer"]
