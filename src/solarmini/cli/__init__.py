"""The command `solar`: one thin command per capability, loaded only when it is asked for."""

import os
import sys
from collections.abc import Container, Sequence
from typing import Any

from cyclopts import App, CycloptsError, Group, Parameter

from solarmini import __version__
from solarmini.console import err
from solarmini.errors import SolarError

_HELP = """Grow a language model, teach it, prove it, and talk to it.

Start here: `solar build smollm2-demo` grows SmolLM2-135M from 30 to 44 layers, heals, teaches,
aligns and merges it, and writes a report, in about 20 minutes on two CPU cores.
"""

# group -> commands (name, where it lives, one line of help); commands show in this order
_COMMANDS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Whole chains": (
        ("build", "build:build", "Run a recipe: every stage that is not done yet."),
        ("report", "report:report", "Make one HTML page that proves a run's every step."),
    ),
    "Models": (
        ("pull", "pull:pull", "Fetch a base model: hub id, folder, GGUF file or packaged model."),
        ("show", "show:show", "Print what a model is and its family tree."),
        ("verify", "verify:verify", "Check every file of a model against its manifest."),
        ("chat", "chat:chat", "Talk to a model in the terminal."),
        ("export", "export:export", "Write a model as GGUF or safetensors, checked."),
        ("serve", "serve:serve", "Serve a model to OpenAI's and Upstage's clients."),
        ("bench", "bench:bench", "Measure how fast a model answers, and in how much memory."),
    ),
    "Documents": (
        (
            "parse",
            "parse:parse",
            "Turn PDFs, pictures and office files into HTML, Markdown, text or JSON.",
        ),
        ("index", "index:index", "Bring a knowledge base up to date with files and folders."),
        ("search", "search:search", "Find the passages that answer a question, with their page."),
        ("ask", "ask:ask", "Answer a question from documents, every sentence with its page."),
        (
            "rag-eval",
            "rag_eval:rag_eval",
            "Measure how well a knowledge base finds, answers, cites and abstains.",
        ),
        ("check", "check:check", "Check whether an answer says only what its context says."),
    ),
    "Grow": (
        ("upscale", "upscale:upscale", "Grow a model in depth (depth up-scaling and others)."),
        ("inspect", "inspect:inspect", "Measure the layers of a model; suggest how many to drop."),
        ("merge", "merge:merge", "Merge models: linear, SLERP, task arithmetic, TIES."),
    ),
    "Teach": (
        ("pretrain", "pretrain:pretrain", "Continue pretraining on text."),
        ("instruct", "instruct:instruct", "Tune on instructions."),
        ("align", "align:align", "Align on preferences: DPO, or sDPO in steps."),
        ("data", "data:app", "Look at training data as the model will see it."),
    ),
    "Prove": (
        ("evaluate", "evaluate:evaluate", "Measure a model: perplexity, held-out data, tasks."),
        ("compare", "compare:compare", "Compare the records of several models."),
    ),
}


def make_app(asked: Container[str] = ()) -> App:
    """Return the application; no command's module is imported yet.

    Commands are listed with one line each. Those named in `asked` have their docstring as help
    instead, for which cyclopts has to import them.
    """
    app = App(
        name="solar",
        help=_HELP,
        help_format="markdown",
        version=__version__,
        default_parameter=Parameter(show_default=_shown_default),
    )
    for number, (title, commands) in enumerate(_COMMANDS.items()):
        group = Group(title, sort_key=number)
        for order, (name, target, text) in enumerate(commands):
            app.command(
                f"solarmini.cli.{target}",
                name=name,
                help=None if name in asked else text,
                group=group,
                sort_key=order,
            )
    return app


def _shown_default(value: Any) -> str | None:
    """Return a default as help shows it; None, for nothing, where it only says "not given"."""
    if value is None or value is False or value == () or value == []:
        return None
    return str(value)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; return its exit code (0 done, 1 checked and found wrong, 2 error)."""
    try:
        result = make_app(arguments)(
            list(arguments), exit_on_error=False, print_error=True, result_action="return_value"
        )
    except CycloptsError:
        return 2
    except SolarError as error:
        _print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        err().print("stopped")
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        sys.stderr.close()
        return 141
    return result if isinstance(result, int) else 0


def main() -> None:
    """Entry point of the console script."""
    _yield_to_neighbours()
    sys.exit(run(sys.argv[1:]))


def _yield_to_neighbours() -> None:
    """Let idle OpenMP threads give up their core soon; has to be set before torch is loaded.

    By default they spin for milliseconds, and beside one other busy process the thread that all
    wait for does not get a core: 354 instead of 1,314 tokens/s in a forward pass of SmolLM2-135M
    on 2 cores. On a quiet machine the short spin costs 3 %.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _print_error(error: SolarError) -> None:
    from rich.markup import escape

    console = err()
    console.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
    for label, text in (("where", error.where), ("mend", error.mend)):
        if text:
            console.print(f"[bold]{label}:[/] {escape(text)}", soft_wrap=True)
