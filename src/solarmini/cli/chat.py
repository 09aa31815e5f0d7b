"""`solar chat`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from solarmini.engine.interface import Engine, Generation, GenerationSettings

_HELP = """/system TEXT  set the system message (empty: none) and start afresh
/reset        forget the conversation
/save FILE    write the conversation as a line of training data (JSONL)
/help         this list
/quit         leave (also Ctrl-D); Ctrl-C stops an answer"""


def chat(
    model: str,
    /,
    *,
    system: str | None = None,
    prompt: str | None = None,
    temperature: float = 0.0,
    top_p: float = 1.0,
    top_k: int = 0,
    max_tokens: int = 512,
    stop: Annotated[list[str] | None, Parameter(negative="")] = None,
    seed: int | None = None,
    template: str = "model",
    engine: Literal["auto", "llama", "transformers", "remote"] = "auto",
    context: int | None = None,
    threads: int | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Talk to a model in the terminal.

    Answers appear as they are made. Type /help for the commands. Standard input may be a pipe:
    then each line is one message of the conversation.

    Parameters
    ----------
    model
        Folder, hub id, GGUF file, packaged model (`smollm2-135m`), or the URL of a server
        (`http://localhost:8000/v1`).
    system
        System message.
    prompt
        Answer this one message and leave.
    temperature
        0 always takes the likeliest token; about 0.7 gives variety.
    top_p
        Draw from the fewest tokens whose probabilities reach this sum.
    top_k
        Draw from this many likeliest tokens; 0 means all.
    max_tokens
        Longest answer; less where the context is nearly full.
    stop
        Texts at which an answer ends.
    seed
        For the same answer again at a temperature above 0.
    template
        Chat template: model (its own), solar, chatml, or a file.
    engine
        auto: llama.cpp for a .gguf file, the server for a URL, transformers for the rest. llama
        writes any other model as GGUF into the cache first.
    context
        Tokens that conversation and answer may have. Default: the model's own; llama.cpp: up to
        4,096.
    threads
        Threads of llama.cpp. Default: the idle cores.
    as_json
        One JSON object per answer instead of text.
    """
    from solarmini.engine.interface import GenerationSettings
    from solarmini.engine.open import open_engine

    settings = GenerationSettings(
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        max_tokens=max_tokens,
        stop=tuple(stop or ()),
        seed=seed,
    )
    with open_engine(model, engine, template=template, context=context, threads=threads) as opened:
        if not model.startswith(("http://", "https://")):
            assert opened.chat  # a model that cannot chat says so before the first question
        talk = Conversation(opened, settings, system, as_json)
        if prompt is not None:
            talk.answer(prompt)
        else:
            talk.run()


class Conversation:
    """Turns so far, and what the user may do with them."""

    def __init__(
        self, engine: "Engine", settings: "GenerationSettings", system: str | None, as_json: bool
    ) -> None:
        self.engine, self.settings, self.as_json = engine, settings, as_json
        self.system = system
        self.turns: list[dict[str, str]] = []
        self.interactive = sys.stdin.isatty() and not as_json

    @property
    def messages(self) -> list[dict[str, str]]:
        """All turns, the system message first."""
        first = [{"role": "system", "content": self.system}] if self.system else []
        return first + self.turns

    def run(self) -> None:
        """Read messages until the end of input or /quit."""
        if self.interactive:
            import readline  # noqa: F401 - gives input() editing and history

            _note(f"{self.engine.name}: type a message, /help for commands")
        while (line := self.read()) is not None:
            text = line.strip()
            if text.startswith("/"):
                if self.command(text):
                    return
            elif text:
                self.answer_or_explain(text)

    def read(self) -> str | None:
        """Return the next line; None at the end."""
        if not self.interactive:
            return sys.stdin.readline() or None
        try:
            return input("\n> ")
        except EOFError:
            print()
            return None
        except KeyboardInterrupt:
            _note("\n(/quit or Ctrl-D leaves)")
            return ""

    def command(self, text: str) -> bool:
        """Carry out a /command; return whether to leave."""
        name, _, rest = text.partition(" ")
        match name:
            case "/quit" | "/exit":
                return True
            case "/reset":
                self.turns.clear()
                _note("(a new conversation)")
            case "/system":
                self.system = rest.strip() or None
                self.turns.clear()
                _note(f"(system message: {self.system or 'none'}; a new conversation)")
            case "/save":
                self.save(rest.strip())
            case "/help":
                _note(_HELP)
            case _:
                _note(f"(no command {name}; /help lists them)")
        return False

    def save(self, name: str) -> None:
        """Append the conversation to a JSONL file."""
        if not name or not self.turns:
            _note("(/save FILE, once there is a conversation)")
            return
        try:
            with Path(name).expanduser().open("a", encoding="utf-8") as file:
                file.write(json.dumps({"messages": self.messages}, ensure_ascii=False) + "\n")
        except OSError as error:
            _note(f"(not saved: {error})")
        else:
            _note(f"(saved to {name})")

    def answer_or_explain(self, text: str) -> None:
        """Answer; a conversation that has outgrown the context is an explanation, not the end."""
        from solarmini.engine.interface import ContextLengthError

        try:
            self.answer(text)
        except ContextLengthError as error:
            if not self.interactive:
                raise
            _note(f"({error.what}; /reset starts afresh)")

    def answer(self, text: str) -> None:
        """Answer one message, show it as it comes, keep both turns."""
        asked = {"role": "user", "content": text}
        generation = self._begin([*self.messages, asked])
        parts: list[str] = []
        try:
            self._show(generation, parts)
        except KeyboardInterrupt:
            generation.cancel()
            for _ in generation:
                pass
            if not self.interactive:
                raise
            _note("\n(stopped)")
        self.turns += [asked, {"role": "assistant", "content": "".join(parts)}]
        self._summary(generation, "".join(parts))

    def _begin(self, messages: list[dict[str, str]]) -> "Generation":
        """Start an answer, a shorter one where the context is nearly full."""
        from solarmini.engine.interface import ContextLengthError

        try:
            return self.engine.generate(messages, self.settings)
        except ContextLengthError as error:
            if error.prompt >= error.limit:
                raise
            shorter = {"max_tokens": error.limit - error.prompt}
            return self.engine.generate(messages, self.settings.model_copy(update=shorter))

    def _show(self, generation: "Generation", parts: list[str]) -> None:
        for piece in generation:
            parts.append(piece)
            if not self.as_json:
                print(piece, end="", flush=True)
        if not self.as_json:
            print()

    def _summary(self, generation: "Generation", text: str) -> None:
        speed = generation.completion_tokens / generation.seconds if generation.seconds else 0.0
        if self.as_json:
            facts = {
                "role": "assistant",
                "content": text,
                "finish_reason": generation.finish_reason,
                "prompt_tokens": generation.prompt_tokens,
                "completion_tokens": generation.completion_tokens,
                "tokens_per_second": round(speed, 2),
            }
            print(json.dumps(facts, ensure_ascii=False), flush=True)
            return
        _note(
            f"({generation.prompt_tokens} + {generation.completion_tokens} tokens, "
            f"{speed:.1f} tokens/s, {generation.finish_reason})"
        )


def _note(text: str) -> None:
    from solarmini.console import err

    err().print(text, style="dim", markup=False, highlight=False)
