"""Effects of an outcome's rows under some settings, and why some rows have none."""

from __future__ import annotations

from helpers.analysis import animals
from helpers.stats.effects import brings_own, effect_sizes, undefined


def effects(rows, settings, *, controls_are_split=False):
    """Effects of rows of an extraction sheet under some settings.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one outcome.
    settings : Settings
    controls_are_split : bool
        The sheet's control n is already divided among the arms that share it; it is then not
        divided again.

    Returns
    -------
    pandas.DataFrame
        ``effect, variance, se`` with the index of `rows`.
    """
    if settings.split_controls and not controls_are_split:
        rows = rows.assign(n_control_split=animals.share(rows))
    found = effect_sizes(rows, **_effect_options(settings))
    if "sign" in rows:
        sign = rows["sign"].fillna(1)
        if settings.measure == "NMD":  # positive is benefit already; only own effects are turned
            sign = sign.where(brings_own(rows), 1)
        found["effect"] *= sign
    return found


def without_effect(rows, settings, *, controls_are_split=False):
    """Why rows have no effect under some settings, empty where they have one.

    Parameters
    ----------
    rows, settings, controls_are_split
        As in `effects`.

    Returns
    -------
    pandas.Series of str
    """
    reasons = undefined(rows, **_effect_options(settings))
    if settings.split_controls and not controls_are_split:
        # Rows that go leave larger shares to the others, so one more look is enough.
        kept = rows[reasons == ""]
        kept = kept.assign(n_control_split=animals.share(kept))
        reasons.update(undefined(kept, **_effect_options(settings)))
    return reasons


def _effect_options(settings):
    """The part of the settings that `helpers.stats.effects.effect_sizes` takes."""
    return {name: getattr(settings, name) for name in ("measure", "correction", "variance")}
