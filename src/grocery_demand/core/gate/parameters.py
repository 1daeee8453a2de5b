"""What a challenger has to reach."""

import math

from grocery_demand.core.parameters import parameters, require


@parameters("gate")
class GateParameters:
    """The bars of the gate.

    Attributes:
        max_nwrmsle: Absolute bar: highest NWRMSLE on the holdout, above 0.
        min_r2_score: Absolute bar: R² on the holdout has to be above it; below 1.
        champion_tolerance: Share by which the NWRMSLE may exceed the champion's, 0 to 1.
        max_slice_loss: Share by which a store type or a family may fall behind, 0 to 1.
        confidence: Share of such intervals over series that hold the true difference, above 0.5
            and below 1.

    Raises:
        ParameterError: When a value is not allowed.
    """

    max_nwrmsle: float = 0.80
    min_r2_score: float = 0.0
    champion_tolerance: float = 0.005
    max_slice_loss: float = 0.05
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        for name, allowed, is_allowed in (
            ("max_nwrmsle", "above 0 and finite", 0 < self.max_nwrmsle < math.inf),
            ("min_r2_score", "below 1 and finite", -math.inf < self.min_r2_score < 1),
            ("champion_tolerance", "0 to 1", 0 <= self.champion_tolerance <= 1),
            ("max_slice_loss", "0 to 1", 0 <= self.max_slice_loss <= 1),
            ("confidence", "above 0.5 and below 1", 0.5 < self.confidence < 1),  # noqa: PLR2004
        ):
            require(is_allowed, f"gate.{name}", getattr(self, name), allowed)
