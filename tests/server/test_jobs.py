"""What is kept of documents that were read while nobody waited, and for how long."""

import time
from pathlib import Path

import pytest

from solarmini.server.errors import ApiError
from solarmini.server.jobs import Job, Jobs


def ended(folder: Path, name: str, ago: float) -> Job:
    job = Job("client", "document-parse", id=name)
    job.status, job.ended = "completed", time.time() - ago
    job.result = folder / f"{name}.json"
    job.result.write_text("{}")
    return job


def test_what_is_too_old_is_forgotten_with_its_file(tmp_path: Path) -> None:
    jobs = Jobs(10, 60)
    old, young = ended(tmp_path, "old", 61), ended(tmp_path, "young", 59)
    for job in (old, young):
        jobs.add(job)
    assert jobs.of("client") == [young]
    assert jobs.of("other") == []
    assert [path.name for path in tmp_path.iterdir()] == ["young.json"]
    assert jobs.by_secret(young.secret) is young
    assert jobs.by_secret(old.secret) is None
    assert jobs.by_secret("ü") is None


def test_when_there_are_too_many_the_oldest_that_ended_goes(tmp_path: Path) -> None:
    jobs = Jobs(2, 60)
    waiting = Job("client", "document-parse")
    jobs.add(ended(tmp_path, "first", 2))
    jobs.add(waiting)
    other = Job("client", "document-parse")
    jobs.add(other)
    assert jobs.of("client") == [other, waiting]
    with pytest.raises(ApiError, match="Too many documents") as refused:
        jobs.add(Job("client", "document-parse"))
    assert refused.value.status == 503
    assert refused.value.headers["retry-after"] == "30"


def test_a_result_is_offered_only_when_there_is_one(tmp_path: Path) -> None:
    job = Job("client", "document-parse")
    facts = job.as_dict("http://localhost")
    assert facts["status"] == "submitted"
    assert facts["batches"][0]["download_url"] == ""
    done = ended(tmp_path, "done", 0).as_dict("http://localhost")
    assert done["batches"][0]["download_url"].startswith("http://localhost/v1/document-digiti")
    assert done["completed_at"]
