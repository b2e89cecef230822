"""What pairs were scored with: the model, and what the region was then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xinglin.identity.model.training import Model
from xinglin.identity.plan import Basis

__all__ = ["Used"]


@dataclass(frozen=True)
class Used:
    """A model and the basis it was trained on.

    Args:
        model: The model.
        basis: The region at that time.
    """

    model: Model
    basis: Basis

    def to_json(self) -> dict[str, Any]:
        """As it is kept in the state of the stage."""
        return {"model": self.model.to_json(), "basis": asdict(self.basis)}

    @classmethod
    def from_json(cls, state: Mapping[str, Any] | None) -> Used | None:
        """What the last run used; None where it is not known."""
        if not state or "basis" not in state or "model" not in state:
            return None
        basis = dict(state["basis"])
        return cls(Model.from_json(state["model"]), Basis(**{**basis, "cards": tuple(basis["cards"])}))
