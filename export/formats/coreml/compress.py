"""Fewer bits for a Core ML model's weights: integers with scales, or palettes."""

from __future__ import annotations

from typing import Any

from skerry.export.errors import Unsupported

PRECISIONS = ("int8", "fp16", "int4", "palette6", "palette4")
_BLOCK = 32  # weights that share a scale, in int4
_GROUP = 16  # channels that share a palette


def compressed(model: Any, precision: str) -> Any:
    """The model with its weights in `precision`; "fp16" is as it was converted.

    Raises:
        Unsupported: there is no such precision.
    """
    if precision == "fp16":
        return model
    import coremltools.optimize.coreml as cto

    if precision in {"int8", "int4"}:
        config = cto.OptimizationConfig(global_config=_integers(precision))
        return cto.linear_quantize_weights(model, config)
    if precision in {"palette6", "palette4"}:
        config = cto.OptimizationConfig(global_config=_palettes(int(precision[-1])))
        return cto.palettize_weights(model, config)
    raise Unsupported(f"Core ML has no '{precision}'", hint=f"there are: {', '.join(PRECISIONS)}")


def _integers(precision: str) -> Any:
    import coremltools.optimize.coreml as cto

    if precision == "int8":
        return cto.OpLinearQuantizerConfig(
            mode="linear_symmetric", dtype="int8", granularity="per_channel"
        )
    return cto.OpLinearQuantizerConfig(
        mode="linear_symmetric", dtype="int4", granularity="per_block", block_size=_BLOCK
    )


def _palettes(bits: int) -> Any:
    import coremltools.optimize.coreml as cto

    return cto.OpPalettizerConfig(
        mode="kmeans", nbits=bits, granularity="per_grouped_channel", group_size=_GROUP
    )
