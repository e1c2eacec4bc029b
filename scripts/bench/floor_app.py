"""The floor of the API: FastAPI routes that do the same real work, and nothing else.

`POST /jobs` commits one event and one row; `GET /jobs/{id}` and `GET /jobs` are one SELECT by SQLAlchemy in one reader
thread, written by msgspec.
"""

import asyncio
import json
import socket
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import msgspec
import uvicorn
from fastapi import FastAPI, Query, Response
from pydantic import BaseModel
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, create_engine, insert, select

jobs = Table(
    "jobs",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("version", Integer),
    Column("folded", LargeBinary),
)


class NewJob(BaseModel):
    """The body of a registration."""

    job_id: str
    vm_name: str
    volume_ids: list[str]


def create(folder: Path, rows: int) -> FastAPI:
    """Return the application on a new database with rows as large as those of real jobs."""
    file = folder / "floor.db"
    engine = create_engine(f"sqlite:///{file}", connect_args={"check_same_thread": False})
    writer = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    writer.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE events (id, version, event);")
    jobs.metadata.create_all(engine)
    folded = msgspec.json.encode(json.load(sys.stdin))
    with engine.begin() as connection:
        for number in range(rows):
            connection.execute(insert(jobs).values(id=f"job-{number:05}", version=1, folded=folded))
    writing, reading = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    app = FastAPI(openapi_url=None)

    def commit(job: NewJob) -> None:
        event = msgspec.json.encode(job.model_dump())
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO events VALUES (?, 1, ?)", (job.job_id, event))
        writer.execute("INSERT INTO jobs VALUES (?, 1, ?)", (job.job_id, event))
        writer.execute("COMMIT")

    def read(query: Any) -> list[Any]:  # noqa: ANN401 - any SELECT
        with engine.connect() as connection:
            return [msgspec.json.decode(folded) for (folded,) in connection.execute(query)]

    @app.post("/jobs", status_code=201)
    async def register(job: NewJob) -> dict[str, str]:
        await asyncio.get_running_loop().run_in_executor(writing, commit, job)
        return {"job_id": job.job_id}

    @app.get("/jobs/{job_id}")
    async def one(job_id: str) -> Response:
        query = select(jobs.c.folded).where(jobs.c.id == job_id)
        (job,) = await asyncio.get_running_loop().run_in_executor(reading, read, query)
        return Response(msgspec.json.encode(job), media_type="application/json")

    @app.get("/jobs")
    async def page(limit: Annotated[int, Query()]) -> Response:
        query = select(jobs.c.folded).order_by(jobs.c.id).limit(limit)
        found = await asyncio.get_running_loop().run_in_executor(reading, read, query)
        return Response(msgspec.json.encode({"items": found}), media_type="application/json")

    return app


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = create(Path(sys.argv[1]), int(sys.argv[2]))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run([listener])
