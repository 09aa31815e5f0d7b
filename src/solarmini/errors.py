"""Errors that a user can act on: what happened, where, and how to mend it."""

import importlib
from pathlib import Path
from types import ModuleType


class SolarError(Exception):
    """Base of every error this project raises on purpose.

    `what` says what is wrong, `where` names the file, key or row, `mend` says what to do. The
    command line prints the three and exits with `exit_code`.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: str | Path | None = None, mend: str | None = None
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.mend = mend
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"where: {self.where}")
        if self.mend:
            lines.append(f"mend: {self.mend}")
        return "\n".join(lines)


class ConfigError(SolarError):
    """A setting, recipe or configuration file is wrong."""


class CheckpointError(SolarError):
    """A model folder or a weight file is missing something or is damaged."""


class UnsafeFormatError(CheckpointError):
    """Weights in a format that runs code when read (pickle)."""


class PlanError(SolarError):
    """A growth plan asks for layers that the base cannot give."""


class ResolveError(SolarError):
    """A model reference names nothing that can be found."""


class OutputError(SolarError):
    """The output exists already or cannot be written."""


class ResourceError(SolarError):
    """Not enough disk or memory for what was asked."""


class TemplateError(SolarError):
    """A chat template is missing, unknown or cannot be used for training."""


class SupervisionError(SolarError):
    """A row of training data would teach nothing, or everything."""


class TokenizerMismatchError(SolarError):
    """Tokenizer and model, or two tokenizers, do not belong together."""


class DataError(SolarError):
    """A data file or one of its rows cannot be read as asked."""


class MergeError(SolarError):
    """Models that cannot be merged, or a merge that is not understood."""


class TrainError(SolarError):
    """Training cannot start or cannot go on."""


class EvaluateError(SolarError):
    """An evaluation cannot be run or its records do not fit together."""


class ExportError(SolarError):
    """A model cannot be written in the asked format, or the written file is not faithful."""


class EngineError(SolarError):
    """A model cannot be run by an engine, or the engine failed while it ran."""


class DocumentError(SolarError):
    """A document cannot be read: damaged, empty, of an unknown kind, or none of its pages can."""


class EncryptedDocumentError(DocumentError):
    """A document that asks for a password, and none or a wrong one was given."""


class UnsupportedFormatError(DocumentError):
    """A file that is not a kind of document this project reads."""


class LimitError(DocumentError):
    """A document asks for more bytes, pages, pixels or time than the limits allow."""


class StoreError(SolarError):
    """A knowledge base cannot be opened, written or used as asked."""


class CorruptStoreError(StoreError):
    """The file or server of a knowledge base is damaged, or is something else altogether."""


class EmbedderError(SolarError):
    """Texts cannot be turned into vectors, or not by the model that made those already stored."""


class MissingExtraError(SolarError):
    """A capability whose optional packages are not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(
            f"this needs the package '{module}', which is not installed",
            mend=f"pip install 'solar-mini[{extra}]'",
        )


def require(module: str, extra: str) -> ModuleType:
    """Import `module`, or raise MissingExtraError naming the extra that brings it."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == module.split(".")[0]:
            raise MissingExtraError(module, extra) from error
        raise
