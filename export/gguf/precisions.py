"""The names of what llama.cpp can make of a model, and what each needs.

A precision is a file type of llama.cpp ("q4_k_m"): a main tensor type and rules for which tensors
get another. Numbers are those of `enum llama_ftype` (llama.h).
"""

from __future__ import annotations

from dataclasses import dataclass

from skerry.bundles.gguf.ggml import FILE_TYPES, TYPES_BY_NAME, TensorType
from skerry.export.errors import Unsupported

_MAIN_TYPES = {
    "q2_k_s": "q2_K", "q3_k_s": "q3_K", "q3_k_m": "q3_K", "q3_k_l": "q3_K", "q4_k_s": "q4_K",
    "q4_k_m": "q4_K", "q5_k_s": "q5_K", "q5_k_m": "q5_K", "q2_k": "q2_K", "q6_k": "q6_K",
    "iq3_xs": "iq3_s", "iq3_m": "iq3_s", "iq2_s": "iq2_xs", "iq2_m": "iq2_s",
    "mxfp4_moe": "mxfp4",
}  # fmt: skip
"""Where the main type has another name than the precision: llama_ftype_get_default_type."""

_NEED_IMATRIX = frozenset({
    "iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "iq2_m", "iq3_xxs", "iq3_xs", "q2_k_s",
})  # fmt: skip
"""Their rules name a tensor type that llama.cpp writes only with an importance matrix."""

_NOT_MADE = {
    "nvfp4": "llama.cpp reads this type and has no quantizer for whole files of it",
}
DEFAULT = "q4_k_m"
FLOATS = ("f32", "f16", "bf16")


@dataclass(frozen=True, slots=True)
class Precision:
    """`number` is llama.cpp's file type; `main` the tensor type that most weights get."""

    name: str
    number: int
    main: TensorType

    @property
    def needs_imatrix(self) -> bool:
        return self.name in _NEED_IMATRIX


def _all() -> dict[str, Precision]:
    named = {name.lower(): number for number, name in FILE_TYPES.items()}
    return {
        name: Precision(name, number, TYPES_BY_NAME[_MAIN_TYPES.get(name, name)])
        for name, number in named.items()
        if name not in _NOT_MADE
    }


PRECISIONS = _all()


def names(*, imatrix: bool) -> tuple[str, ...]:
    """All that can be made, the default first; `imatrix`: there is an importance matrix."""
    made = [one.name for one in PRECISIONS.values() if imatrix or not one.needs_imatrix]
    return (DEFAULT, *(name for name in made if name != DEFAULT))


def precision(name: str, *, imatrix: bool) -> Precision:
    """Looks a precision up, in either case.

    Raises:
        Unsupported: there is none of that name, or it needs an importance matrix and has none.
    """
    wanted = name.lower()
    if wanted in _NOT_MADE:
        raise Unsupported(f"'{name}' cannot be made: {_NOT_MADE[wanted]}", hint="choose another")
    found = PRECISIONS.get(wanted)
    if found is None:
        raise Unsupported(
            f"llama.cpp has no precision '{name}'", hint=f"choose one of {', '.join(PRECISIONS)}"
        )
    if found.needs_imatrix and not imatrix:
        raise Unsupported(
            f"'{name}' needs an importance matrix: so few bits are garbage without one",
            hint="give a calibration text or an importance matrix file",
        )
    return found


def tensor_type(name: str) -> TensorType:
    """Looks a tensor type of a plan up, in either case; Unsupported when there is none."""
    found = {kind.lower(): one for kind, one in TYPES_BY_NAME.items()}.get(name.lower())
    if found is None:
        raise Unsupported(
            f"ggml has no tensor type '{name}'", hint=f"choose one of {', '.join(TYPES_BY_NAME)}"
        )
    return found
