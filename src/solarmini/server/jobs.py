"""Documents that are read while nobody waits: asked for, looked after, fetched."""

import asyncio
import contextlib
import datetime
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import FileResponse

from solarmini.errors import SolarError
from solarmini.server.body import Upload
from solarmini.server.documents import Wish, answer_of, upload_of, wish_of
from solarmini.server.errors import ApiError, of_solar, unavailable
from solarmini.server.respond import Json
from solarmini.server.state import State, state_of

Status = Literal["submitted", "started", "completed", "failed"]


@dataclass(slots=True)
class Job:
    """One document that was handed in; its result lies in a file until it is too old."""

    owner: str
    model: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    status: Status = "submitted"
    failure: str = ""
    pages: int = 0
    asked: float = field(default_factory=time.time)
    ended: float | None = None
    result: Path | None = None
    task: asyncio.Task[None] | None = None

    def as_dict(self, base: str) -> dict[str, Any]:
        """Return what Upstage's clients read; `base` is our address as the client knows it."""
        done = self.status == "completed"
        asked, ended = _written(self.asked), _written(self.ended)
        url = f"{base}/v1/document-digitization/results/{self.secret}" if done else ""
        batch = {
            "id": 0,
            "model": self.model,
            "status": self.status,
            "failure_message": self.failure,
            "download_url": url,
            "start_page": 1,
            "end_page": self.pages,
            "requested_at": asked,
            "updated_at": ended or asked,
        }
        return {
            "id": self.id,
            "status": self.status,
            "model": self.model,
            "failure_message": self.failure,
            "total_pages": self.pages,
            "completed_pages": self.pages if done else 0,
            "batches": [batch],
            "requested_at": asked,
            "completed_at": ended,
        }


def _written(moment: float | None) -> str | None:
    if moment is None:
        return None
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()


class Jobs:
    """All jobs; those that ended some time ago are forgotten, with their files."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._jobs: dict[str, Job] = {}

    def tidy(self) -> None:
        """Forget what is too old."""
        old = time.time() - self._seconds
        for job in [j for j in self._jobs.values() if j.ended is not None and j.ended < old]:
            self._forget(job)

    def _forget(self, job: Job) -> None:
        del self._jobs[job.id]
        if job.result is not None:
            job.result.unlink(missing_ok=True)

    def add(self, job: Job) -> None:
        """Keep a new job; when there are too many, the oldest that ended goes, or 503."""
        self.tidy()
        if len(self._jobs) >= self._most:
            ended = [j for j in self._jobs.values() if j.ended is not None]
            if not ended:
                raise unavailable("Too many documents are waiting.", "server_overloaded", 30)
            self._forget(ended[0])
        self._jobs[job.id] = job

    def of(self, owner: str) -> list[Job]:
        """Return a client's jobs, the newest first."""
        self.tidy()
        return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def by_secret(self, secret: str) -> Job | None:
        """Return the job whose result lies at a secret address."""
        given = secret.encode()
        found = [j for j in self._jobs.values() if secrets.compare_digest(j.secret.encode(), given)]
        return found[0] if found else None

    async def close(self) -> None:
        """End what is under way."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(BaseException):
                await task


async def submit(request: Request) -> Json:
    """Take a document; answer with the id under which to ask for it."""
    state = state_of(request)
    upload = await upload_of(state, request)
    assert upload.path is not None
    try:
        wish = wish_of(upload)
        job = Job(request.state.client, upload.fields.get("model", "document-parse"))
        state.jobs.add(job)
    except BaseException:
        upload.path.unlink(missing_ok=True)
        raise
    job.task = asyncio.create_task(_work(state, job, upload, wish))
    return Json({"request_id": job.id}, status_code=202)


async def _work(state: State, job: Job, upload: Upload, wish: Wish) -> None:
    path = upload.path
    assert path is not None

    def read() -> None:
        job.status = "started"
        answer = answer_of(state, path, wish, state.settings.bounds.async_pages)
        job.pages = answer["usage"]["pages"]
        result = path.with_suffix(".json")
        result.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")
        job.result = result

    try:
        await state.reader.run(read, patient=True)
        job.status = "completed"
    except (ApiError, SolarError) as error:
        said = error if isinstance(error, ApiError) else of_solar(error)
        job.status, job.failure = "failed", said.message
    except Exception as error:
        job.status, job.failure = "failed", "The server failed on this document."
        state.log.write("fault", job=job.id, error=repr(error))
    finally:
        job.ended = time.time()
        path.unlink(missing_ok=True)


async def status(request: Request) -> Json:
    """Say how far a document is."""
    state = state_of(request)
    wanted = request.path_params["id"]
    for job in state.jobs.of(request.state.client):
        if job.id == wanted:
            return Json(job.as_dict(_base(request)))
    raise ApiError(404, "There is no such request, or its result is too old.", "not_found")


async def listing(request: Request) -> Json:
    """List a client's documents."""
    jobs = state_of(request).jobs.of(request.state.client)
    return Json({"requests": [job.as_dict(_base(request)) for job in jobs]})


async def download(request: Request) -> FileResponse:
    """Give a result to whoever knows its address."""
    job = state_of(request).jobs.by_secret(request.path_params["secret"])
    if job is None or job.result is None:
        raise ApiError(404, "There is no such result, or it is too old.", "not_found")
    return FileResponse(job.result, media_type="application/json")


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
