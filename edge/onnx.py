"""Imports ONNX Runtime and ONNX Runtime GenAI without their telemetry.

On Linux, onnxruntime 1.32 and GenAI 0.18 each keep a device id and a queue of events for upload
under `~/.cache/Microsoft`. `disable_telemetry_events()` still opens them; the environment variable,
set before the library is first used, prevents it. Nothing may leave the device unasked.
"""

from __future__ import annotations

import os
from types import ModuleType

from skerry.edge.errors import ConfigError

SWITCH = "ORT_DISABLE_TELEMETRY"


def import_onnxruntime() -> ModuleType:
    """The module `onnxruntime`."""
    os.environ[SWITCH] = "1"
    import onnxruntime

    module: ModuleType = onnxruntime
    return module


def import_genai() -> ModuleType:
    """The module `onnxruntime_genai`.

    Raises:
        ConfigError: it is not installed, or its native part does not load here.
    """
    os.environ[SWITCH] = "1"
    try:
        import onnxruntime_genai
    except ImportError as error:
        raise ConfigError(
            f"ONNX Runtime GenAI cannot be imported: {error}",
            hint="install it with: pip install 'skerry[genai]'",
        ) from error
    module: ModuleType = onnxruntime_genai
    return module
