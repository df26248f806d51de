"""Writes the tiny model `linear` (make-tiny-model.py) as an item graph and a request graph into test/support/split/.

    pip install onnx==1.23.2 && python test/support/make-split-graphs.py

item      item_rows = [0.5 popularity, 0.01 genre]
request   clip(item_rows[item_row] + [0.25 taste[0], 0.1 device][request_row])
unmoved   the same, but every candidate gets the slab's first row
"""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

HERE = Path(__file__).parent / "split"
FLOAT, INT = TensorProto.FLOAT, TensorProto.INT32


def write(name, inputs, output, nodes):
    constants = {"zero": [0], "half": 0.5, "hundredth": 0.01, "quarter": 0.25, "tenth": 0.1, "none": 0.0, "one": 1.0}
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node(op, ins, [out], **attributes) for op, ins, out, attributes in nodes],
            name,
            [helper.make_tensor_value_info(n, dtype, shape) for n, dtype, shape in inputs],
            [helper.make_tensor_value_info(output, FLOAT, ["rows", 2])],
            [numpy_helper.from_array(np.array(v, np.int64 if n == "zero" else np.float32), n) for n, v in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    checker.check_model(model)
    HERE.mkdir(exist_ok=True)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def request(name, place):
    write(
        name,
        [
            ("user_numbers", FLOAT, ["requests", 2]),
            ("context_indices", INT, ["requests", 1]),
            ("item_rows", FLOAT, ["slab_rows", 2]),
            ("item_row", INT, ["candidates"]),
            ("request_row", INT, ["candidates"]),
        ],
        "probabilities",
        [
            ("Gather", ["user_numbers", "zero"], "taste", {"axis": 1}),
            ("Mul", ["taste", "quarter"], "click", {}),
            ("Cast", ["context_indices"], "device", {"to": FLOAT}),
            ("Mul", ["device", "tenth"], "like", {}),
            ("Concat", ["click", "like"], "request", {"axis": 1}),
            ("Gather", ["request", "request_row"], "of_request", {"axis": 0}),
            *place,
            ("Gather", ["item_rows", "place"], "of_item", {"axis": 0}),
            ("Add", ["of_request", "of_item"], "sum", {}),
            ("Clip", ["sum", "none", "one"], "probabilities", {}),
        ],
    )


if __name__ == "__main__":
    write(
        "item",
        [("item_numbers", FLOAT, ["items", 3]), ("item_indices", INT, ["items", 3])],
        "item_rows",
        [
            ("Gather", ["item_numbers", "zero"], "popularity", {"axis": 1}),
            ("Mul", ["popularity", "half"], "click", {}),
            ("Gather", ["item_indices", "zero"], "genre", {"axis": 1}),
            ("Cast", ["genre"], "number", {"to": FLOAT}),
            ("Mul", ["number", "hundredth"], "like", {}),
            ("Concat", ["click", "like"], "item_rows", {"axis": 1}),
        ],
    )
    request("request", [("Identity", ["item_row"], "place", {})])
    request("unmoved", [("Sub", ["item_row", "item_row"], "place", {})])
