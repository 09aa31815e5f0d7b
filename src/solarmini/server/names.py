"""Model names that clients know → what this server does for them."""

from typing import Literal

from solarmini.server.errors import no_model

ChatTask = Literal["chat", "groundedness", "to Korean", "to English"]
EmbeddingTask = Literal["model", "query", "passage"]

_CHAT = ("solar-mini", "solar-1-mini-chat")
_GROUNDEDNESS = (
    "groundedness-check",
    "solar-1-mini-groundedness-check",
    "solar-1-mini-answer-verification",
)
_TO_KOREAN = ("solar-1-mini-translate-enko", "translation-enko")
_TO_ENGLISH = ("solar-1-mini-translate-koen", "translation-koen")
_QUERY = ("embedding-query", "solar-embedding-1-large-query")
_PASSAGE = ("embedding-passage", "solar-embedding-1-large-passage")
PARSE = ("document-parse", "document-parse-nightly")
EXTRACT = ("information-extract",)
WITH_CONTEXT = _GROUNDEDNESS
NO_TALK = (*_GROUNDEDNESS, *_TO_KOREAN, *_TO_ENGLISH)  # names under which no text is continued


class Names:
    """`own` is the served model's name; `aliases` are further names for it."""

    def __init__(self, own: str, aliases: tuple[str, ...] = ()) -> None:
        self.own = own
        self._chat: dict[str, ChatTask] = dict.fromkeys((own, *aliases, *_CHAT), "chat")
        self._chat |= dict.fromkeys(_GROUNDEDNESS, "groundedness")
        self._chat |= dict.fromkeys(_TO_KOREAN, "to Korean")
        self._chat |= dict.fromkeys(_TO_ENGLISH, "to English")
        self._embedding: dict[str, EmbeddingTask] = dict.fromkeys((own, *aliases), "model")
        self._embedding |= dict.fromkeys(_QUERY, "query")
        self._embedding |= dict.fromkeys(_PASSAGE, "passage")

    def all(self) -> list[str]:
        """Return every name, the model's own first."""
        return list(dict.fromkeys([*self._chat, *self._embedding, *PARSE, *EXTRACT]))

    def chat(self, name: str) -> ChatTask:
        """Return what a chat with this name is; ApiError 404."""
        if name not in self._chat:
            raise no_model(name)
        return self._chat[name]

    def embedding(self, name: str) -> EmbeddingTask:
        """Return what embeddings of this name are; ApiError 404."""
        if name not in self._embedding:
            raise no_model(name)
        return self._embedding[name]
