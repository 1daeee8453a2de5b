"""Questions put to one model: its forecasts as they are given, with the features that went in."""

import uuid
from collections.abc import Sequence

import numpy as np

from grocery_demand.serving.question import Question
from grocery_demand.serving.served_forecast import ServedForecast
from grocery_demand.serving.served_model import ServedModel, list_effects

MOST_AT_ONCE = 512
"""Questions that are answered in one call: more take no less time each."""

_DECIMALS = 4


def make_forecasts(
    model: ServedModel, questions: Sequence[Question], role: str
) -> tuple[list[ServedForecast], np.ndarray]:
    """Return the answers to questions, and their features, float32 [question, feature].

    Args:
        model: Who answers.
        questions: What is asked; the model has to reach their days.
        role: As what it answers, one of `core.rollout.ROLES`.
    """
    answers = model.answer(
        np.fromiter((q.row for q in questions), int, len(questions)),
        np.fromiter((q.step for q in questions), int, len(questions)),
        np.fromiter((q.what_if for q in questions), np.int8, len(questions)),
    )
    units = answers.units.astype(float).round(_DECIMALS).tolist()
    usual = answers.moving_average.astype(float).round(_DECIMALS).tolist()
    forecasts = []
    for i, question in enumerate(questions):
        point, *quantiles, low, high = units[i]
        forecasts.append(
            ServedForecast(
                question=question,
                model=model,
                units=point,
                quantiles=tuple(quantiles),
                interval=(low, high),
                long_range=bool(answers.long_range[i]),
                onpromotion=bool(answers.onpromotion[i]),
                usual=usual[i],
                effects=[] if answers.moves is None else list_effects(answers.moves[i]),
                event_id=uuid.uuid4().hex,
                role=role,
            )
        )
    return forecasts, answers.features
