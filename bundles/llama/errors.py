"""What llama.cpp cannot do.

LlamaError
├── LlamaRefused    the file is damaged, or no model that can be used
├── AdapterRefused  the adapter is missing, damaged, or does not fit the model
├── OptionRefused   a setting cannot be used, or not with this model
├── TokenRefused    an id is no token of the model
└── LlamaFailed     there is not enough memory, or the library failed
"""

from __future__ import annotations


class LlamaError(Exception):
    """`what` happened, to which file; `hint`: what to do next."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class LlamaRefused(LlamaError):
    """The model file cannot be used."""


class AdapterRefused(LlamaError):
    """The adapter cannot be used."""


class OptionRefused(LlamaError):
    """A setting cannot be used."""


class TokenRefused(LlamaError):
    """The id is no token of the model."""


class LlamaFailed(LlamaError):
    """The library could not do it now."""
