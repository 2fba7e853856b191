"""The base of every table of a declaration."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A table of the declaration; a key that it does not know is an error, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)
