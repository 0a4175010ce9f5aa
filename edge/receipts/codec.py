"""Receipts as JSON text and back."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from skerry.edge.errors import ReceiptInvalid
from skerry.edge.receipts.receipt import SCHEMA, Receipt

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MAX_BYTES = 8 * 1024 * 1024


def to_json(receipt: Receipt) -> str:
    """One line of JSON; the same receipt always gives the same text.

    Lone surrogates, which JSON text cannot hold, become question marks.

    Raises:
        ReceiptInvalid: a number is not finite.
    """
    content = adapter().dump_python(receipt)
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, default=sorted)
    except ValueError as error:
        what = f"receipt {receipt.id} holds a number that is not finite"
        raise ReceiptInvalid(what, hint="mend what measured it") from error
    return text.encode(errors="replace").decode()


def from_json(text: str | bytes) -> Receipt:
    """The receipt that `text` holds. Keys that this version does not know are ignored.

    Raises:
        ReceiptInvalid: it is not JSON, or no receipt of schema `skerry.receipt/1`.
    """
    from pydantic import ValidationError

    if len(text) > MAX_BYTES:
        raise ReceiptInvalid(f"{len(text):,} bytes are more than a receipt has", hint=_HINT)
    try:
        return adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the text"
        raise ReceiptInvalid(f"not a receipt: {place}: {first['msg']}", hint=_HINT) from error
    except UnicodeEncodeError as error:
        raise ReceiptInvalid("not a receipt: the text is not Unicode", hint=_HINT) from error


_HINT = f"a receipt is the output of `skerry explain ID --json`, of schema {SCHEMA}"


@cache
def adapter() -> TypeAdapter[Receipt]:
    from pydantic import TypeAdapter

    return TypeAdapter(Receipt)
