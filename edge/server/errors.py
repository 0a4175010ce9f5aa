"""Errors in OpenAI's shape, and which HTTP status each error of the runtime has.

Shape: {"error": {"message", "type", "param", "code"}}
(https://platform.openai.com/docs/guides/error-codes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from skerry.edge import errors as edge
from skerry.guardrails.errors import GuardrailError, ScreenOverflow

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (edge.ModelNotFound, 404),
    (edge.ReceiptNotFound, 404),
    (edge.SessionNotFound, 404),
    (edge.AdapterError, 400),
    (edge.InputError, 400),
    (edge.GrammarError, 400),
    (ScreenOverflow, 400),
    (edge.PolicyDenied, 403),
    (edge.CloudError, 503),
    (edge.Cancelled, 503),
)
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ApiError(HTTPException):
    """An answer that is an error. `param` names the field of the request that is wrong."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code
        self.param = param

    def body(self) -> dict[str, Any]:
        fallback = "server_error" if self.status_code >= 500 else "invalid_request_error"
        return {
            "error": {
                "message": self.detail,
                "type": _TYPES.get(self.status_code, fallback),
                "param": self.param,
                "code": self.code,
            }
        }


def bad(message: str, param: str | None, code: str = "invalid_value") -> ApiError:
    """A field of the request is wrong."""
    return ApiError(400, message, code=code, param=param)


def as_api_error(error: BaseException) -> ApiError:
    """What a client is told of `error`. Faults that nobody foresaw keep their text to themselves,
    since it may quote what somebody asked."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, edge.EdgeError | GuardrailError):
        message = f"{error.what}. {error.hint}".rstrip(". ") + "."
        return ApiError(_status(error), message, code=error.code, param=_param(error))
    return ApiError(500, f"an unexpected fault ({type(error).__name__}).", code="internal")


def _status(error: edge.EdgeError | GuardrailError) -> int:
    """By kind; of the others, 503 where the same request may work later."""
    otherwise = 503 if error.retryable else 500
    return next((status for kind, status in _STATUS if isinstance(error, kind)), otherwise)


def _param(error: Exception) -> str | None:
    if isinstance(error, edge.ModelNotFound):
        return "model"
    if isinstance(error, edge.ContextOverflow):
        return "messages"
    return "grammar" if isinstance(error, edge.GrammarError) else None


def is_json(content_type: str) -> bool:
    """Whether a header `Content-Type` says JSON: `application/json`, or another with `+json`."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def not_json(content_type: str) -> ApiError:
    """A body that its header does not call JSON (RFC 9110, section 15.5.16)."""
    said = f"'Content-Type: {content_type[:100]}'" if content_type else "no Content-Type"
    what = f"the request has {said}; send its body as JSON, with 'Content-Type: application/json'."
    return ApiError(415, what, code="unsupported_content_type")


def unreadable(cause: BaseException | None) -> ApiError:
    """A body that no reader of JSON takes."""
    if isinstance(cause, RecursionError):
        why = "it is nested too deeply"
    elif isinstance(cause, UnicodeError):
        why = "it is not UTF-8"
    else:
        why = "a number in it is too long, or it breaks off"
    return ApiError(400, f"the body is not JSON: {why}.", code="invalid_json")


def validation_error(details: Sequence[Mapping[str, Any]]) -> ApiError:
    """The first of pydantic's complaints about a request body."""
    detail = details[0]
    param = ".".join(str(part) for part in detail["loc"][1:]) or None
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "json_invalid":
        return ApiError(400, f"the body is not JSON: {message}.", code="invalid_json")
    if detail["type"] == "missing":
        return bad(f"'{param}' is missing.", param, "missing_required_parameter")
    return bad(f"'{param}': {message}." if param else f"{message}.", param)
