"""A part of the simulation: the aims of the recommended analysis, within Monte Carlo error."""

import pytest
import simulation

REPLICATES = 400


@pytest.fixture(scope="module", params=[(10, False), (30, False), (10, True), (30, True)])
def found(request):
    return simulation.run((*request.param, REPLICATES))[2]


def within(found, column, low, high):
    """Whether a mean lies between the bounds, but for three Monte Carlo errors."""
    mean, error = (part[column] for part in found)
    return low - 3 * error <= mean <= high + 3 * error


@pytest.mark.slow
def test_recommended_keeps_its_aims(found):
    recommended = found["recommended"]
    assert within(recommended, "error", -2, 2)
    assert within(recommended, "covered", 93, 97)
    assert within(recommended, "moderator", 0, 7)
    assert within(recommended, "small_study", 0, 7)


@pytest.mark.slow
def test_article_misses_them_where_its_model_does(found):
    mean, error = found["article"]
    assert mean["error"] + 3 * error["error"] < 0  # the variance follows the effect
    assert mean["small_study"] > 80  # Egger's test of SMDs without any suppression
