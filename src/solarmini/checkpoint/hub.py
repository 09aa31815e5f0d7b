"""A model on the hub, known by its config and headers: some kilobytes instead of its weights."""

import re
from pathlib import Path

from solarmini.checkpoint.reader import INDEX_NAME, SINGLE_NAME, Checkpoint, read_json, shard_names
from solarmini.checkpoint.safetensors import TensorInfo, parse_header, read_header
from solarmini.console import progress
from solarmini.errors import CheckpointError

_AT_ONCE = 100_000  # bytes; nearly every header is shorter, so that one request per file does
_CONTENT_RANGE = re.compile(r"bytes \d+-\d+/(?P<size>\d+)")


def open_hub(ref: str) -> Checkpoint:
    """Open the model `owner/name` on the hub; its tensors can be counted, not read.

    Weight files that are in the local hub cache are not asked for. Raises CheckpointError for a
    damaged model or one without safetensors, and whatever huggingface_hub raises.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    folder = Path(hf_hub_download(ref, "config.json")).parent
    commit = folder.name  # all files of one version
    try:
        hf_hub_download(ref, INDEX_NAME, revision=commit)
        names = shard_names(folder)
    except RemoteEntryNotFoundError:
        names = [SINGLE_NAME]
    with progress("reading headers", len(names), "files") as advance:
        headers = []
        for name in names:
            headers.append(_header(ref, name, folder))
            advance(1)
    return Checkpoint.of_headers(folder, read_json(folder / "config.json"), headers)


def _header(ref: str, name: str, folder: Path) -> dict[str, TensorInfo]:
    from huggingface_hub import hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import RemoteEntryNotFoundError

    cached = try_to_load_from_cache(ref, name, revision=folder.name)
    if isinstance(cached, str):
        return read_header(Path(cached))
    url = hf_hub_url(ref, name, revision=folder.name)
    try:
        first, size = _range(url, 0, _AT_ONCE)
    except RemoteEntryNotFoundError:
        raise CheckpointError(f"no weights: there is no {name}", where=url) from None

    def read(start: int, count: int) -> bytes:
        if start + count <= len(first):
            return first[start : start + count]
        return _range(url, start, count)[0]

    return parse_header(read, size, folder / name)


def _range(url: str, start: int, count: int) -> tuple[bytes, int]:
    """Return `count` bytes of the file at `url`, fewer at its end, and the size of it all."""
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    headers = {
        **build_hf_headers(),
        "Range": f"bytes={start}-{start + count - 1}",
        "Accept-Encoding": "identity",
    }
    with get_session().stream("GET", url, headers=headers, timeout=30) as response:
        hf_raise_for_status(response)
        said = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if response.status_code != 206 or said is None:  # do not fetch all of it instead
            raise CheckpointError("the server does not give parts of a file", where=url)
        return response.read(), int(said["size"])
