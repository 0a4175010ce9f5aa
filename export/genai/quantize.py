"""Rewrites a float32 model graph of GenAI's builder with weights of four or eight bits.

y = x W becomes MatMulNBits(x; codes, scales) + (sums of x per block) offsets: the offsets, which
the builder's own four-bit scheme lacks, cost a bit per weight and save most of the loss. The
head and the embedding, which are often one, keep eight bits. With eight bits there are no offsets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skerry.export.genai.blocks import BLOCK, Blocks, Weight, affine4, symmetric8

_MODEL = "model.onnx"
_DOMAIN = "com.microsoft"
_INT8_ACTIVATIONS = 4  # accuracy_level of MatMulNBits: products of int8, the fastest on a CPU
_SHAPE, _AXIS = "block.shape", "block.axis"


def quantize(source: Path, out: Path, bits: int) -> None:
    """Reads `source/model.onnx` and writes `out/model.onnx` with its data beside it."""
    import onnx

    model = onnx.load(source / _MODEL)
    _Rewriter(model.graph, bits).rewrite()
    onnx.save_model(
        model,
        out / _MODEL,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{_MODEL}.data",
        size_threshold=1024,
    )


class _Rewriter:
    """Replaces the nodes of one graph; weights that several nodes read are quantized once."""

    def __init__(self, graph: Any, bits: int) -> None:
        self._graph, self._bits = graph, bits
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._tables = _tables(graph, self._weights)
        self._done: dict[str, Blocks] = {}
        self._sums: set[str] = set()

    def rewrite(self) -> None:
        self._add(_SHAPE, np.array([0, 0, -1, BLOCK], np.int64))
        self._add(_AXIS, np.array([-1], np.int64))
        nodes = [made for node in self._graph.node for made in self._replacement(node)]
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        read = {name for node in nodes for name in node.input}
        kept = [tensor for tensor in self._graph.initializer if tensor.name in read]
        del self._graph.initializer[:]
        self._graph.initializer.extend(kept)

    def _replacement(self, node: Any) -> Iterator[Any]:
        weight = self._weight_of(node)
        if weight is None:
            if not self._is_turned_embedding(node):
                yield node
        elif node.op_type == "Gather":
            yield from self._embedding(node, weight)
        elif self._bits == 8 or "lm_head" in node.name:
            yield self._product(node, weight, self._blocks(weight, symmetric8), node.output[0])
        else:
            yield from self._projection(node, weight)

    def _weight_of(self, node: Any) -> str | None:
        """The name of the weights that a node multiplies by, or looks up in."""
        if node.op_type == "Gather":
            return self._tables.get(node.input[0])
        name = node.input[1] if node.op_type == "MatMul" else ""
        dims = list(self._weights[name].dims) if name in self._weights else []
        return name if len(dims) == 2 and dims[0] % BLOCK == 0 else None

    def _is_turned_embedding(self, node: Any) -> bool:
        return node.op_type == "Transpose" and node.output[0] in self._tables

    def _blocks(self, name: str, scheme: Callable[[Weight], Blocks]) -> Blocks:
        if name not in self._done:
            self._done[name] = scheme(self._matrix(name))
        return self._done[name]

    def _matrix(self, name: str) -> Weight:
        """(in, out); an embedding of its own is stored the other way round."""
        from onnx import numpy_helper

        values: Weight = numpy_helper.to_array(self._weights[name])
        return values.T if name == self._tables.get(name) else values

    def _add(self, name: str, values: NDArray[Any]) -> str:
        """Stores a tensor under `name`, once."""
        from onnx import numpy_helper

        if name not in self._weights:
            self._weights[name] = numpy_helper.from_array(values, name)
            self._graph.initializer.append(self._weights[name])
        return name

    def _projection(self, node: Any, weight: str) -> Iterator[Any]:
        from onnx import helper

        blocks, given, result = self._blocks(weight, affine4), node.input[0], node.output[0]
        assert blocks.offsets is not None
        offsets = self._add(f"{weight}.offsets", blocks.offsets)
        yield from self._block_sums(given)
        yield self._product(node, weight, blocks, f"{result}.codes")
        yield helper.make_node(
            "MatMul", [f"{given}.sums", offsets], [f"{result}.offsets"], f"{node.name}/offsets"
        )
        parts = [f"{result}.codes", f"{result}.offsets"]
        yield helper.make_node("Add", parts, [result], f"{node.name}/sum")

    def _block_sums(self, given: str) -> Iterator[Any]:
        """The sums of each block of an activation, once for all projections that take it."""
        from onnx import helper

        if given in self._sums:
            return
        self._sums.add(given)
        blocks, sums = f"{given}.blocks", f"{given}.sums"
        yield helper.make_node("Reshape", [given, _SHAPE], [blocks], f"{given}/blocks")
        yield helper.make_node("ReduceSum", [blocks, _AXIS], [sums], f"{given}/sums", keepdims=0)

    def _product(self, node: Any, weight: str, blocks: Blocks, result: str) -> Any:
        from onnx import helper

        wide, out = self._matrix(weight).shape
        codes = self._add(f"{weight}.codes", blocks.codes)
        scales = self._add(f"{weight}.scales", blocks.scales)
        return helper.make_node(
            "MatMulNBits",
            [node.input[0], codes, scales],
            [result],
            f"{node.name}_Q{blocks.bits}",
            domain=_DOMAIN,
            K=wide,
            N=out,
            bits=blocks.bits,
            block_size=BLOCK,
            accuracy_level=_INT8_ACTIVATIONS,
        )

    def _embedding(self, node: Any, weight: str) -> Iterator[Any]:
        """Looks rows up in the codes, seen as (vocabulary, in)."""
        from onnx import helper

        blocks = self._blocks(weight, symmetric8)
        codes, table = self._add(f"{weight}.codes", blocks.codes), f"{weight}.table"
        size = np.array(self._matrix(weight).shape[::-1], np.int64)
        shape = self._add(f"{weight}.table_shape", size)
        yield helper.make_node("Reshape", [codes, shape], [table], f"{node.name}/table")
        yield helper.make_node(
            "GatherBlockQuantized",
            [table, node.input[1], self._add(f"{weight}.scales", blocks.scales)],
            list(node.output),
            f"{node.name}_Q8",
            domain=_DOMAIN,
            bits=8,
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )


def _tables(graph: Any, weights: Mapping[str, Any]) -> dict[str, str]:
    """What embeddings are looked up in, and whose weights that is: the head's, turned round by a
    Transpose, or a matrix of its own."""
    gathers = (node for node in graph.node if node.op_type == "Gather")
    looked_up = {node.input[0] for node in gathers if "embed_tokens" in node.name}
    own = {name: name for name in looked_up & weights.keys()}
    turns = (node for node in graph.node if node.op_type == "Transpose")
    return own | {node.output[0]: node.input[0] for node in turns if node.output[0] in looked_up}
