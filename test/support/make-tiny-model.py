"""Writes the tiny models that the tests load into test/support/models/ (a repository, as docs/model-manifest.md says).

    pip install onnx==1.23.2 && python test/support/make-tiny-model.py

linear   exact by hand: click = clip(0.5 popularity + 0.25 taste[0]), like = clip(0.01 genre + 0.1 device)
curved   a small network whose every number depends on the user, the context and the item
slow     like linear's click, after 24 products of [candidates, 512] x [512, 512]: a second for 2,000 rows
brittle  fails for genre "drone" (a look-up past the table's end); not a number for a negative popularity
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

HERE = Path(__file__).parent / "models"
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT32
DTYPES = {FLOAT: "float32", INT: "int32"}
GENRES = ["ambient", "pop", "jazz", "drone"]

USER = ("user_numbers", FLOAT, ["requests", 2], "user")
CONTEXT = ("context_indices", INT, ["requests", 1], "context")
NUMBERS = ("item_numbers", FLOAT, ["candidates", 3], "item")
INDICES = ("item_indices", INT, ["candidates", 3], "item")
ROW = ("request_row", INT, ["candidates"], "row")

TASTE = {"name": "taste", "entity": "user", "input": "user_numbers", "offset": 0, "width": 2,
         "encoding": {"kind": "number"}, "default": [0, 0]}
DEVICE = {"name": "device", "entity": "context", "input": "context_indices", "offset": 0, "width": 1,
          "encoding": {"kind": "vocabulary", "values": ["ios", "android"]}, "default": []}
POPULARITY = {"name": "popularity", "entity": "item", "input": "item_numbers", "offset": 0, "width": 1,
              "encoding": {"kind": "number"}, "default": [0.5]}
CONTENT = {"name": "content", "entity": "item", "input": "item_numbers", "offset": 1, "width": 2,
           "encoding": {"kind": "number"}, "default": [0, 0]}
GENRE = {"name": "genre", "entity": "item", "input": "item_indices", "offset": 0, "width": 1,
         "encoding": {"kind": "vocabulary", "values": GENRES}, "default": []}
ID = {"name": "id", "entity": "item", "input": "item_indices", "offset": 1, "width": 1,
      "encoding": {"kind": "hash", "buckets": 64}, "default": []}
ARTIST = {"name": "artist", "entity": "item", "input": "item_indices", "offset": 2, "width": 1,
          "encoding": {"kind": "hash", "buckets": 64}, "default": []}


class Graph:
    """Collects nodes and constants; `out` names each node's one output."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def const(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def out(self, op, *inputs, name=None, **attributes):
        name = name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def column(self, tensor, index):
        return self.out("Gather", tensor, self.const([index], np.int64), axis=1)

    def weighted(self, tensor, weight):
        return self.out("Mul", tensor, self.const(weight))

    def number(self, tensor):
        return self.out("Cast", tensor, to=FLOAT)

    def per_candidate(self, tensor):
        return self.out("Gather", tensor, "request_row", axis=0)

    def clipped(self, tensor, **name):
        return self.out("Clip", tensor, self.const(0), self.const(1), **name)


def click(g):
    taste = g.per_candidate(g.column("user_numbers", 0))
    return g.out("Add", g.weighted(g.column("item_numbers", 0), 0.5), g.weighted(taste, 0.25))


def linear(g):
    device = g.per_candidate(g.number("context_indices"))
    genre = g.number(g.column("item_indices", 0))
    like = g.out("Add", g.weighted(genre, 0.01), g.weighted(device, 0.1))
    g.clipped(g.out("Concat", click(g), like, axis=1), name="probabilities")


def curved(g):
    rng = np.random.default_rng(7)
    weights = lambda *shape: g.const(rng.normal(size=shape) * 0.7)  # noqa: E731
    tables = [g.out("Gather", weights(65, 8), g.column("item_indices", i), axis=0) for i in range(3)]
    rows = [g.out("Squeeze", table, g.const([1], np.int64)) for table in tables]
    context = g.out("Gather", weights(3, 4), g.out("Squeeze", "context_indices", g.const([1], np.int64)), axis=0)
    person = g.per_candidate(g.out("Concat", "user_numbers", context, axis=1))
    whole = g.out("Concat", person, "item_numbers", *rows, axis=1)
    hidden = g.out("Tanh", g.out("MatMul", whole, weights(33, 24)))
    g.out("Sigmoid", g.out("MatMul", hidden, weights(24, 2)), name="probabilities")


def slow(g):
    one = g.out("ConstantOfShape", g.const([1, 512], np.int64), value=helper.make_tensor("v", FLOAT, [1], [0.001]))
    square = g.out("ConstantOfShape", g.const([512, 512], np.int64), value=helper.make_tensor("v", FLOAT, [1], [0.001]))
    total = click(g)
    wide = g.out("MatMul", total, one)
    for _ in range(24):
        wide = g.out("Tanh", g.out("MatMul", wide, square))
    spent = g.out("ReduceSum", wide, g.const([1], np.int64), keepdims=1)
    g.clipped(g.out("Add", total, g.weighted(spent, 0)), name="probabilities")


def brittle(g):
    table = g.const([[0.0], [0.1], [0.2], [0.3]])
    genre = g.out("Gather", table, g.out("Squeeze", g.column("item_indices", 0), g.const([1], np.int64)), axis=0)
    g.clipped(g.out("Add", genre, g.out("Sqrt", g.column("item_numbers", 0))), name="probabilities")


def write(name, surface, build, tasks, inputs, features, weights, golden=None):
    graph = Graph()
    build(graph)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            name,
            [helper.make_tensor_value_info(n, dtype, shape) for n, dtype, shape, _ in inputs],
            [helper.make_tensor_value_info("probabilities", FLOAT, ["candidates", len(tasks)])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    checker.check_model(model)
    folder = HERE / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    data = model.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    manifest = {
        "schemaVersion": 1, "name": name, "version": "1", "surface": surface,
        "description": f"A tiny model for the tests: {name}.",
        "file": "model.onnx", "sha256": hashlib.sha256(data).hexdigest(), "tasks": tasks,
        "output": {"name": "probabilities", "dtype": "float32", "shape": ["candidates", len(tasks)]},
        "inputs": [{"name": n, "dtype": DTYPES[d], "shape": s, "entity": e} for n, d, s, e in inputs],
        "features": features,
        "valueModel": {"kind": "weighted-sum", "weights": weights},
        "provenance": {"recipe": "test/support/make-tiny-model.py"},
    }
    if golden is not None:
        manifest["golden"] = {"file": "golden.json"}
        (folder / "golden.json").write_text(json.dumps(golden) + "\n")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def tensor(dims, data):
    return {"dims": dims, "data": data}


# Two requests: taste 0.4 on ios with two candidates, taste 0 on android with one.
LINEAR_GOLDEN = {
    "inputs": {
        "user_numbers": tensor([2, 2], [0.4, 0, 0, 0]),
        "context_indices": tensor([2, 1], [1, 2]),
        "item_numbers": tensor([3, 3], [1, 0, 0, 0.5, 0, 0, 0.25, 0, 0]),
        "item_indices": tensor([3, 3], [2, 5, 0, 0, 6, 0, 3, 7, 0]),
        "request_row": tensor([3], [0, 0, 1]),
    },
    "output": tensor([3, 2], [0.6, 0.12, 0.35, 0.1, 0.125, 0.23]),
    "tolerance": 1e-6,
}

ALL = [USER, CONTEXT, NUMBERS, INDICES, ROW]
FEATURES = [TASTE, DEVICE, POPULARITY, CONTENT, GENRE, ID, ARTIST]
ITEM = [NUMBERS, INDICES]
ITEM_FEATURES = [POPULARITY, CONTENT, GENRE, ID, ARTIST]

if __name__ == "__main__":
    write("linear", "home", linear, ["click", "like"], ALL, FEATURES, {"click": 1, "like": 2}, LINEAR_GOLDEN)
    write("curved", "home", curved, ["click", "like"], ALL, FEATURES, {"click": 1})
    write("slow", "home", slow, ["click"], [USER, NUMBERS, ROW], [TASTE, POPULARITY, CONTENT], {"click": 1})
    write("brittle", "radio", brittle, ["click"], ITEM, ITEM_FEATURES, {"click": 1})
