"""Run as a process: `lower CONFIG` makes a program for ExecuTorch, by a document of `llm_config`.

Does what ExecuTorch's own `export_llm` does with such a document (version 1.5) in
fewer passes: the model is traced once and not twice, decomposed twice and not six times, and its
graph is put into order only where it is out of it. All of these grow with the layers, the last with
their square.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def main(config: Path) -> None:
    """Writes the file that the document's `export.output_name` says."""
    document = json.loads(config.read_text("utf-8"))
    manager = _prepared(document)
    logging.disable(logging.INFO)
    with _for_tracing():
        manager.edge_manager = _lowered(manager)
        manager.to_executorch()
    manager.save_to_pte(document["export"]["output_name"])


def _prepared(document: dict[str, Any]) -> Any:
    """ExecuTorch's `LLMEdgeManager`: its model is quantized, has its cache, and is not traced."""
    from executorch.examples.models.llama.export_llama_lib import _prepare_for_llama_export
    from executorch.extension.llm.export.config.llm_config import LlmConfig
    from omegaconf import OmegaConf

    known = OmegaConf.structured(LlmConfig)
    config = OmegaConf.to_object(OmegaConf.merge(known, OmegaConf.create(document)))
    return _prepare_for_llama_export(config)


@contextmanager
def _for_tracing() -> Iterator[None]:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with sdpa_kernel([SDPBackend.MATH]), torch.no_grad():
        yield


def _lowered(manager: Any) -> Any:
    """The program in edge dialect, with its parts for XNNPACK: the quantized ones first."""
    import torch
    from executorch.exir import EdgeCompileConfig, to_edge
    from executorch.extension.llm.export.partitioner_lib import get_xnnpack_partitioner

    traced = torch.export.export(
        manager.model,
        manager.example_inputs,
        kwargs=manager.example_kwarg_inputs,
        dynamic_shapes=manager.dynamic_shapes,
        strict=False,
    )
    for node in traced.graph.nodes:
        node.meta.pop("from_node", None)  # its history, which each pass copies deeply
    partitioners = [get_xnnpack_partitioner(dynamic_quant_only_partitioner=one)
                    for one in (True, False)]  # fmt: skip
    config = EdgeCompileConfig(
        _check_ir_validity=False,
        _skip_dim_order=True,
        preserve_ops=_kept_whole(traced, partitioners),
    )
    edge = to_edge(traced, compile_config=config, constant_methods=manager.metadata)
    with _order_restored_where_lost():
        for partitioner in partitioners:
            edge = edge.to_backend(partitioner)
    return edge


def _kept_whole(traced: Any, partitioners: Sequence[Any]) -> list[Any]:
    """Operators that XNNPACK takes as they are, such as `linear`: they are not decomposed."""
    used = {node.target for node in traced.graph.nodes if node.op == "call_function"}
    wanted = {one for each in partitioners for one in each.ops_to_not_decompose(traced)[0]}
    return sorted(used & wanted, key=str)


@contextmanager
def _order_restored_where_lost() -> Iterator[None]:
    """Each part that is cut out of a graph has ExecuTorch sort all of it, and write its code anew.

    The order is right nearly always. Where ExecuTorch keeps this elsewhere, it stays slow.
    """
    from executorch.exir import lowered_backend_module

    sort = getattr(lowered_backend_module, "legalize_graph", None)
    if sort is None:
        yield
        return
    lowered_backend_module.legalize_graph = lambda graph: graph if in_order(graph) else sort(graph)
    try:
        yield
    finally:
        lowered_backend_module.legalize_graph = sort


def in_order(module: Any) -> bool:
    """Whether each node of a `GraphModule` comes after those that it takes."""
    seen: set[Any] = set()
    for node in module.graph.nodes:
        if not seen.issuperset(node.all_input_nodes):
            return False
        seen.add(node)
    return True


if __name__ == "__main__":
    main(Path(sys.argv[1]))
