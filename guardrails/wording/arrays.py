"""Arrays of a model's file, which was checked against its digest."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from skerry.guardrails.errors import GuardrailError
from skerry.guardrails.weights import Weights


def arrays(weights: Weights, name: str) -> dict[str, NDArray[np.generic]]:
    """The arrays of an `.npz` file that the manifest names; objects are refused.

    Raises:
        GuardrailError: the file is missing, was changed, or holds no arrays.
    """
    content = weights.content(name)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        what = f"'{weights.folder / name}' holds no arrays: {error}"
        raise GuardrailError(what, hint="Reinstall skerry.") from error
