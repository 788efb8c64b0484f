"""The specification curve of an outcome: its result by every combination of defensible choices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from helpers.analysis import animals, measures
from helpers.analysis import model as models
from helpers.analysis.robustness import choices as known
from helpers.analysis.robustness.choices import BAND, DECISIONS, ON_ROWS
from helpers.analysis.robustness.factorial import (
    FORMULA,
    INDEPENDENT,
    by_formula,
    complete,
    put_together,
    thinned,
    variance_shares,
)  # fmt: skip
from helpers.analysis.settings import RECOMMENDED, Model
from helpers.stats.many.effects import Experiments
from helpers.stats.many.pooling import pooled_sets, summaries
from helpers.stats.mixed_model.inference import ASKED
from helpers.stats.multilevel import multilevel
from helpers.stats.pooling import critical

# Specifications of independent rows, and how many of them a multilevel fit, which takes longer,
# stands for: with these a batch of reports takes hardly longer.
MOST, PER_FIT = 160, 20
NUMBERS = ("k", "estimate", "ci_low", "ci_high", "tau2")
FEW = "fewer than two experiments have an effect"


@dataclass(frozen=True)
class Share:
    """Percent of the variance of some estimates that one decision explains by itself.

    `decision` is ``interplay`` for what only several of them explain together; `principled` says
    of which specifications of the measure and the model this is.
    """

    measure: str
    model: str
    principled: bool
    decision: str
    share: float


@dataclass(frozen=True, eq=False)
class Specifications:
    """The specifications of an outcome that were computed.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a specification: its choices by decision (empty where one does not apply), ``k,
        estimate, ci_low, ci_high, tau2``, ``principled`` and ``leading`` (bool), and ``reason``
        where it has no result.
    choices : helpers.analysis.robustness.choices.Choices
    blocks : list of Block
        Those that were computed.
    of : int
        How many specifications there are.
    fits : int
        How many multilevel models were fitted.
    explained : list of Share
        Of the principled specifications, and of those of a measure or model that is only shown.
    measures : dict of helpers.analysis.measures.Measure
        What the effects of each measure are.
    level : float
    """

    table: pd.DataFrame
    choices: known.Choices
    blocks: list
    of: int
    fits: int
    explained: list[Share]
    measures: dict
    level: float

    @property
    def decisions(self):
        """Decisions with more than one choice, in their order."""
        blocks = [block.choices for block in self.blocks]
        found = {name for one in blocks for name in one if len(one[name]) > 1}
        found |= {name for name in ("measure", "model")
                  if len({getattr(block, name) for block in self.blocks}) > 1}  # fmt: skip
        return [name for name in DECISIONS if name in found]


def of_outcome(review, analysis, *, most=None, fits=None, run=None):
    """Compute the specifications of an outcome.

    Parameters
    ----------
    review : helpers.review.review.Review
    analysis : helpers.analysis.outcome.OutcomeAnalysis
    most : int, optional
        Specifications of independent rows; `MOST` by default. Which choices go where there are
        more is said at `helpers.analysis.robustness.choices.thinned`.
    fits : int, optional
        Multilevel fits, by default one for `PER_FIT` of `most`; where neither is given, no more
        than the principled specifications need.

    run : callable, optional
        As `map`, for instance that of an executor, which then computes a formula of the effects at
        a time; what it is called with does not depend on how many work at it.

    Returns
    -------
    Specifications

    Notes
    -----
    Each number is what `helpers.analysis.outcome.analyse` gives by these settings for these rows.
    The share of a decision is the sum of squares between the means of its choices over the total
    sum of squares, in the largest full factorial of specifications that have a result.

    References
    ----------
    Simonsohn U, Simmons JP, Nelson LD (2020). Specification curve analysis. Nat Hum Behav
    4:1208-1214.
    Steegen S, Tuerlinckx F, Gelman A, Vanpaemel W (2016). Increasing transparency through a
    multiverse analysis. Perspect Psychol Sci 11:702-712.
    Voracek M, Kossmeier M, Tran US (2019). Which data to meta-analyze, and how? Z Psychol
    227:64-82.
    """
    default, most = most is None, MOST if most is None else most
    engine = _Engine(review, analysis)
    choices = known.of_outcome(
        review, analysis, engine.experiments, control=engine.control, cohort=engine.cohort,
        by_rho=engine.by_rho(),
    )  # fmt: skip
    leading, shown = choices.leading, choices.shown
    if fits is None:
        fits = most // PER_FIT
    if default:
        fits = min(fits, sum(choices.fits(block) for block in choices.blocks))
    blocks = thinned(choices.blocks, leading, most=most, fits=fits, shown=shown)
    if run is None:
        found = [engine.block(block, choices.kept) for block in blocks]
    else:
        pieces = [piece for block in blocks for piece in by_formula(block)]
        made = iter(run(partial(engine.block, kept=choices.kept), pieces))
        found = [put_together(block, made) for block in blocks]
    columns = [_columns(*one, choices) for one in zip(blocks, found, strict=True)]
    table = pd.DataFrame({
        name: np.concatenate([one[name] for one in columns])
        for name in (*DECISIONS, *NUMBERS, "principled", "leading", "reason")
    })  # fmt: skip
    shares = [row for one in zip(blocks, found, strict=True) for row in _explained(*one, choices)]
    used = {name: measures.used(engine.rows, name, analysis.outcome)
            for name in dict.fromkeys(table["measure"])}  # fmt: skip
    return Specifications(
        table=table, choices=choices, blocks=blocks, of=sum(one.size for one in choices.blocks),
        fits=sum(block.fits for block in blocks), explained=shares,
        measures=used, level=analysis.settings.level,
    )  # fmt: skip


class _Engine:
    """An outcome's rows with what many specifications share; travels to other processes."""

    def __init__(self, review, analysis):
        self.rows = review.rows(analysis.outcome.id)
        self.control, self.cohort = animals.control_groups(self.rows), animals.cohorts(self.rows)
        self.day = animals.days(self.rows)
        on_day = animals.together(self.control, self.day)
        self.experiments = Experiments(self.rows, on_day, self.cohort)
        self.model = analysis.asked_model or Model()
        self.settings = analysis.settings if analysis.asked_model else replace(
            RECOMMENDED, level=analysis.settings.level)  # fmt: skip
        self.shared = {
            "level_values": review.level_values.loc[self.rows.index],
            "split": analysis.controls_are_split,
        }
        self._rows = {}  # those of each mask, and whether any two of them depend on each other

    def by_rho(self):
        """Whether the correlation of repeated measurements changes any sampling error."""
        if self.model.covariance == "constant":
            return True
        if len(np.unique(self.cohort)) < len(self.cohort):
            return True
        if self.shared["split"]:
            return False
        means = self.rows["mean_control"], self.rows["sd_control"]
        occasions = animals.together(self.control, self.day, *means)
        return len(np.unique(occasions)) > len(np.unique(self.control))

    def block(self, block, kept):
        """Results of all specifications of a block, each an array of its shape.

        `kept` is that of `Choices`.
        """
        effects, variances = self._sets(block, kept)
        if block.model == INDEPENDENT:
            return self._independent(block, effects, variances)
        return self._multilevel(block, effects, variances)

    def _sets(self, block, kept_by):
        """Effects and variances by formula and rows, shape (formulas..., rows..., k)."""
        chosen = block.choices
        on_rows = [chosen.get(name, (next(iter(kept_by[name])),)) for name in ON_ROWS]
        every = np.ones(len(self.rows), bool)
        masks = np.array([
            (every if rules[0] == BAND else kept_by["outliers"][rules[0]])
            & kept_by["follow_up"][rules[1]] & kept_by["risk_of_bias"][rules[2]]
            for rules in product(*on_rows)
        ])  # fmt: skip
        banded = np.array([rules[0] == BAND for rules in product(*on_rows)])
        found = []
        for formula in product(*(chosen.get(name, (None,)) for name in FORMULA)):
            *how, controls = formula
            how = known.formula(block.measure, *how, self.settings)
            how["divided"] = controls == "divided"
            kept = masks
            if banded.any():
                y, v = self.experiments.effects(masks[banded], **how)
                kept = masks.copy()
                kept[banded] = ~_outside(y, v, self.settings.level) & np.isfinite(v)
            found.append(self.experiments.effects(kept, **how))
        shape = [len(chosen.get(name, (None,))) for name in FORMULA] + [len(one) for one in on_rows]
        return (np.reshape([one[at] for one in found], (*shape, len(self.rows))) for at in (0, 1))

    def _independent(self, block, effects, variances):
        """Random effects of independent rows; the sets of a method are estimated together."""
        sets, k = effects.shape[:-1], effects.shape[-1]
        y, v = effects.reshape(-1, k), variances.reshape(-1, k)
        enough = np.isfinite(v).sum(axis=1) > 1
        methods = block.choices.get("method", (self.settings.method,))
        intervals = block.choices.get("interval", (self.settings.interval,))
        out = {name: np.full((len(methods), len(intervals), len(y)), np.nan) for name in NUMBERS}
        out["k"][:] = np.isfinite(v).sum(axis=1)
        for i, method in enumerate(methods if enough.any() else ()):
            fitted = summaries(y[enough], v[enough], method)
            for j, interval in enumerate(intervals):
                fields = pooled_sets(fitted, method=method, interval=interval,
                                     prediction="riley", level=self.settings.level)  # fmt: skip
                for name in NUMBERS:
                    out[name][i, j, enough] = fields[name]
        reason = np.broadcast_to(np.where(enough, "", FEW).astype(object), out["k"].shape)
        # (method, interval, correction, variance, controls, rows...) as `DECISIONS` have them.
        order = (2, 3, 4, 0, 1, 5, 6, 7)
        return {
            name: values.reshape(*values.shape[:2], *sets).transpose(order).reshape(block.shape)
            for name, values in {**out, "reason": reason}.items()
        }

    def _multilevel(self, block, effects, variances):
        """The multilevel model where rows depend on each other; tests come from one fit."""
        rhos = block.choices.get("rho", (self.model.rho,))
        tests = block.choices.get("test", (self.model.test,))
        sets = effects.shape[:-1]
        formulas = list(product(*(block.choices.get(name, (None,)) for name in FORMULA[:2])))
        shape = (*sets[:2], len(rhos), len(tests), *sets[3:])
        out = {name: np.full(shape, np.nan) for name in NUMBERS}
        out["reason"] = np.full(shape, "", object)
        for place in np.ndindex(sets):
            y, v = effects[place], variances[place]
            how = known.formula(
                block.measure, *formulas[place[0] * sets[1] + place[1]], self.settings
            )
            settings = replace(self.settings, **how)
            for at, rho in enumerate(rhos):
                found, reason = self._fit(y, v, settings, rho, tests)
                for test, result in enumerate(found):
                    where = (*place[:2], at, test, *place[3:])
                    for name in NUMBERS:
                        out[name][where] = result[name]
                    out["reason"][where] = reason
        return {name: values.reshape(block.shape) for name, values in out.items()}

    def _fit(self, y, v, settings, rho, tests):
        """Results by each test, and why there are none."""
        kept = np.isfinite(v)
        none = [dict.fromkeys(NUMBERS, np.nan) | {"k": kept.sum()}] * len(tests)
        if kept.sum() < 2:
            return none, FEW
        model, key = replace(self.model, rho=rho, test="cr2"), kept.tobytes()
        if key not in self._rows:
            rows = self.rows if kept.all() else self.rows[kept]
            always = self.model != Model()
            self._rows[key] = rows, always or models.is_needed(model, rows, **self.shared)
        rows, depend = self._rows[key]
        if not depend:
            fitted = summaries(y[None], v[None], settings.method)
            fields = pooled_sets(fitted, **settings.pooling())
            return [{name: fields[name][0] for name in NUMBERS}] * len(tests), ""
        found = pd.DataFrame({"effect": y[kept], "variance": v[kept]}, rows.index)
        try:
            fit = multilevel(
                found["effect"], **models.options(model, rows, found, settings, **self.shared)
            )
        except ValueError as error:
            return none, str(error)
        fields = {name: getattr(fit, name) for name in NUMBERS}
        contained = replace(fit.fit, fallback=ASKED).contrast(np.ones(1))
        contained = {name: contained[name] for name in ("ci_low", "ci_high")}
        return [fields | (contained if test == "contain" else {}) for test in tests], ""


def _outside(effect, variance, level):
    """Which effects of each set lie outside the Galbraith band of the set."""
    precise = 1 / np.sqrt(variance)
    slope = (effect / variance).sum(axis=-1) / (1 / variance).sum(axis=-1)
    return np.abs(effect - slope[:, None]) * precise > critical(level)


def _columns(block, found, choices):
    """The specifications of a block as columns."""
    own = {"measure": (block.measure,), "model": (block.model,), **block.choices}
    shape, size = (1, 1, *block.shape), block.size
    columns = {name: np.full(size, "", object) for name in DECISIONS}
    principled, leading = np.ones((2, *shape), bool)
    for axis, (name, values) in enumerate(own.items()):
        along = np.ones(len(shape), int)
        along[axis] = len(values)
        values = np.array(values, object)
        columns[name] = np.broadcast_to(values.reshape(along), shape).ravel()
        known = np.array([choices.principled(name, value) for value in values])
        principled = principled & known.reshape(along)
        leading = leading & (values == choices.leading.get(name)).reshape(along)
    numbers = {name: values.ravel() for name, values in found.items()}
    return columns | numbers | {"principled": principled.ravel(), "leading": leading.ravel()}


def _explained(block, found, choices):
    """How much of the spread of a block's estimates each decision explains."""
    shown = not (choices.principled("measure", block.measure)
                 and choices.principled("model", block.model))  # fmt: skip
    kept = [
        [at for at, value in enumerate(values) if shown or choices.principled(name, value)]
        for name, values in block.choices.items()
    ]
    if not all(kept):
        return
    estimates = complete(found["estimate"][np.ix_(*kept)])
    for name, share in zip([*block.choices, "interplay"], variance_shares(estimates), strict=True):
        yield Share(block.measure, block.model, not shown, name, float(share))
