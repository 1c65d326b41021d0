"""A request that is not served: the status, and a message that says what came, what is allowed and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganglion.errors import GanglionError


class Refused(GanglionError):
    """A request that is answered by an error.

    Parameters
    ----------
    status : int
        Of HTTP: 400 to 499 where the client can do better, 503 and 504 where it may try again.
    message : str
    details : mapping, optional
        What a program can use of it: the column, the row, what came, what is allowed.
    headers : mapping of str to str, optional
        Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.details, self.headers = dict(details or {}), dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"error": self.message, **self.details}


def wrong_value(column: str, row: int, came: str, allowed: str) -> Refused:
    """Return the refusal of one value of a table."""
    details = {"column": column, "row": row, "came": came, "allowed": allowed}
    return Refused(422, f"column {column!r}, row {row}: {came} came; allowed is {allowed}.", details=details)


def too_large(what: str, most: int) -> Refused:
    """Return the refusal of a body that is too large."""
    return Refused(
        413,
        f"the body has {what}; {most:,} bytes are allowed. Send fewer rows in each request.",
        details={"allowed": most},
    )


def too_many_rows(n: int, most: int) -> Refused:
    """Return the refusal of a request of n rows."""
    return Refused(413, f"{n:,} rows came; {most:,} are allowed in one request.", details={"allowed": most})


def too_long(column: str, row: int, what: str, most: int) -> Refused:
    """Return the refusal of one text or sequence of so many letters, words or steps."""
    details = {"column": column, "row": row, "came": what, "allowed": most}
    return Refused(413, f"column {column!r}, row {row} has {what}; {most:,} are allowed. Send parts.", details=details)
