"""PyTorch modules to ONNX files with named dynamic dimensions."""

import logging
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

# The newest opset that every ONNX Runtime since 1.17 runs.
OPSET = 20


class _Variadic(nn.Module):
    """Takes its inputs as one tuple, so that dynamic shapes are given alike for every module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        return self.module(*inputs)


def export_graph(
    module: nn.Module,
    example: tuple[Tensor, ...],
    input_names: list[str],
    rows: list[str],
    output_names: list[str],
    path: Path,
) -> None:
    """Writes `path`. `rows[k]` names the dynamic first dimension of input k; every other dimension is fixed."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    dims = {name: torch.export.Dim(name, min=1, max=2**20) for name in dict.fromkeys(rows)}
    program = torch.onnx.export(
        _Variadic(module).eval(),
        example,
        input_names=input_names,
        output_names=output_names,
        dynamic_shapes=(tuple({0: dims[name]} for name in rows),),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    graph = program.model_proto
    # The exporter notes where each node came from in this machine's files; that is nobody's business.
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*graph.graph.value_info, *graph.graph.input, *graph.graph.output):
        del value.metadata_props[:]
    del graph.graph.metadata_props[:]
    del graph.metadata_props[:]
    onnx.checker.check_model(graph)
    onnx.save(graph, path)
