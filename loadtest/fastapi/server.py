"""The server that a competent engineer writes first in Python: FastAPI, onnxruntime, features in NumPy arrays.

The same model, requests and answers as loadtest/plain-server.ts; one uvicorn worker, one intra-op thread. No
experiments, no log, no limits, no deadlines. Says on its output, as Setlist does, which port it got.
"""

import json
import socket
import sys
import threading
from pathlib import Path

import mmh3
import numpy as np
import onnxruntime
import orjson
import pyarrow.parquet
import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel, Field

REPOSITORY = Path(__file__).resolve().parents[2]
MODEL = REPOSITORY / "models/repository/home-control/1"
WORLD = REPOSITORY / "models/world"
DTYPES = {"float32": np.float32, "int32": np.int32}


class User(BaseModel):
    """Who is asked for."""

    id: str


class RankBody(BaseModel):
    """The fields of a rank request that this server knows."""

    user: User
    candidate_ids: list[str] = Field(alias="candidateIds")
    limit: int | None = None


class Rows:
    """One entity's features, encoded once: an array for each input, a row for each id, zeros at the end for others."""

    def __init__(self, entity: str, manifest: dict) -> None:
        table = pyarrow.parquet.read_table(WORLD / f"{entity}s.parquet")
        ids = [str(value) for value in table["id"].to_pylist()]
        self.row_of = {name: row for row, name in enumerate(ids)}
        self.unknown = len(ids)
        self.arrays = {
            tensor["name"]: np.zeros((len(ids) + 1, tensor["shape"][1]), DTYPES[tensor["dtype"]])
            for tensor in manifest["inputs"]
            if tensor["entity"] == entity
        }
        for feature in manifest["features"]:
            if feature["entity"] != entity:
                continue
            into = self.arrays[feature["input"]]
            encode = encoder_of(feature["encoding"])
            for row, value in enumerate(table[feature["name"]].to_pylist()):
                values = feature["default"] if value is None else value if isinstance(value, list) else [value]
                for column, one in enumerate(values[: feature["width"]], feature["offset"]):
                    into[row, column] = encode(one)

    def feeds(self, ids: list[str]) -> dict[str, np.ndarray]:
        """The entity's inputs of the model, a row for each id."""
        rows = [self.row_of.get(one, self.unknown) for one in ids]
        return {name: array[rows] for name, array in self.arrays.items()}


def encoder_of(encoding: dict):
    """How the manifest says that a value becomes a number."""
    if encoding["kind"] == "number":
        return float
    if encoding["kind"] == "hash":
        return lambda value: 1 + mmh3.hash(str(value), 0, signed=False) % encoding["buckets"]
    index_of = {value: index for index, value in enumerate(encoding["values"], 1)}
    return lambda value: index_of.get(str(value), 0)


manifest = json.loads((MODEL / "manifest.json").read_text())
users = Rows("user", manifest)
items = Rows("item", manifest)
tasks: list[str] = manifest["tasks"]
weights = np.array([manifest["valueModel"]["weights"].get(task, 0.0) for task in tasks])
output_names = [manifest["output"]["name"]]
row_input = next(tensor["name"] for tensor in manifest["inputs"] if tensor["entity"] == "row")
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(MODEL / manifest["file"], options, providers=["CPUExecutionProvider"])
app = FastAPI()


@app.post("/v1/rank")
async def rank(body: RankBody) -> Response:
    """Scores every candidate in one run, the listener's part once, and answers with the best."""
    ids = body.candidate_ids
    # Every candidate belongs to the request's one listener.
    belongs = np.zeros(len(ids), np.int32)
    feeds = {**users.feeds([body.user.id]), **items.feeds(ids), row_input: belongs}
    probabilities = session.run(output_names, feeds)[0]
    scores = probabilities @ weights
    best = np.argsort(-scores, kind="stable")[: body.limit]
    columns = (best.tolist(), scores[best].tolist(), probabilities[best].tolist())
    answer = [
        {"id": ids[row], "score": score, "tasks": dict(zip(tasks, by_task, strict=True))}
        for row, score, by_task in zip(*columns, strict=True)
    ]
    return Response(orjson.dumps({"items": answer}), media_type="application/json")


def main() -> None:
    """Serves on a free port until told to stop, or until whoever started it is gone and the input ends."""
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen(2048)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))

    def stop_with_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=stop_with_parent, daemon=True).start()
    print(json.dumps({"msg": "ready", "httpPort": door.getsockname()[1]}), flush=True)
    server.run(sockets=[door])


if __name__ == "__main__":
    main()
