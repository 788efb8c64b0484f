"""Effect sizes of single experiments and their sampling variances."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln

GROUP_COLUMNS = (
    "n_treated",
    "mean_treated",
    "sd_treated",
    "n_control",
    "mean_control",
    "sd_control",
)
# The uninjured value that NMD is measured against; without the last two it is known exactly.
REFERENCE_COLUMNS = ("mean_reference", "sd_reference", "n_reference")
MEASURES = ("SMD", "GLASS", "MD", "ROM", "NMD")
CORRECTIONS = ("exact", "approximate", "none")
# Of spread, not of means: known to `effect_sizes` too.
SPREAD_MEASURES = ("VR", "CVR")
VARIANCES = ("metafor", "stata", "unbiased", "revman")
SMD_VARIANCES = (*VARIANCES, "average")
NMD_VARIANCES = ("delta", "conventional")


def small_sample_factor(df, correction="exact"):
    """Hedges' factor J that takes the small-sample bias out of a standardised mean difference.

    Parameters
    ----------
    df : array_like
        Degrees of freedom of the pooled SD, n_treated + n_control - 2; may be fractional.
    correction : {"exact", "approximate", "none"}
        ``exact`` is Γ(m/2) / (√(m/2) Γ((m-1)/2)), ``approximate`` is 1 - 3/(4m - 1), ``none`` is 1.

    Returns
    -------
    numpy.ndarray
        J, between 0 and 1.

    References
    ----------
    Hedges LV (1981). Distribution theory for Glass's estimator of effect size and related
    estimators. J Educ Stat 6:107-128.
    """
    m = np.asarray(df, dtype=float)
    if correction == "exact":
        return np.exp(gammaln(m / 2) - gammaln((m - 1) / 2)) / np.sqrt(m / 2)
    if correction == "approximate":
        return 1 - 3 / (4 * m - 1)
    if correction == "none":
        return np.ones_like(m)
    raise ValueError(f"correction is one of {', '.join(CORRECTIONS)}, not {correction!r}")


def effect_sizes(table, *, measure="SMD", correction="exact", variance="metafor", average=None):
    """Effect size, sampling variance and standard error of each experiment.

    Parameters
    ----------
    table : pandas.DataFrame
        A row an experiment, with ``n_treated, mean_treated, sd_treated, n_control, mean_control,
        sd_control`` (SDs, not SEMs; any unit). Optional columns: ``n_control_split``, the share
        of a control group used several times that falls to this row: it then enters J and the
        variance, while the pooled SD keeps ``n_control``; ``effect`` and ``se`` for rows that
        bring their own effect instead of group data; for NMD ``mean_reference`` (the uninjured
        value) and, where it was measured, ``sd_reference`` and ``n_reference``.
    measure : {"SMD", "GLASS", "MD", "ROM", "NMD", "VR", "CVR"}
        Standardised mean difference (Hedges g), Glass's delta (by the control SD, uncorrected),
        mean difference, log ratio of means, normalised mean difference in percent; of spread:
        log ratio of the SDs, and of the coefficients of variation (both means above 0).
    correction : {"exact", "approximate", "none"}
        Small-sample factor of the SMD; the other measures have none.
    variance : {"metafor", "stata", "unbiased", "revman"}, for SMD also "average", or, for NMD, \
{"delta", "conventional"}
        Formula of the sampling variance, see Notes. MD knows ``stata`` (pooled SDs) and takes the
        SDs apart under every other name; GLASS and ROM have one formula; NMD uses ``delta``
        unless it is told ``conventional``.
    average : float, optional
        ḡ for the variance ``average``; by default that of these rows, see `average_smd`. A
        subgroup or what is left of a deletion takes that of its outcome's full analysis.

    Returns
    -------
    pandas.DataFrame
        ``effect, variance, se`` with the index of `table`; treated minus control, except NMD,
        which is positive where the treated group is nearer to the uninjured value.

    Raises
    ------
    ValueError
        Unknown option, missing columns, or rows whose effect is undefined; all rows are named.

    Notes
    -----
    With m = n1 + n2 - 2, N = n1 + n2, d = (m1 - m2) / s_pooled and g = J·d:

    - ``metafor``   1/n1 + 1/n2 + g² / (2N)
    - ``stata``     J² (1/n1 + 1/n2 + d² / (2N))
    - ``unbiased``  1/n1 + 1/n2 + (1 - (m - 2) / (m J²)) g²
    - ``revman``    1/n1 + 1/n2 + g² / (2 (N - 3.94))
    - ``average``   1/n1 + 1/n2 + ḡ² / (2N), N of whole groups: independent of the row's own g

    GLASS: 1/n1 + 1/n2 + Δ² / (2 (n2 - 1)). MD: s1²/n1 + s2²/n2. ROM: s1²/(n1 m1²) + s2²/(n2 m2²).
    VR: ln(s1/s2) + 1/(2(n1 - 1)) - 1/(2(n2 - 1)), variance 1/(2(n1 - 1)) + 1/(2(n2 - 1)). CVR: the
    same with s/m for s, variance more by s1²/(n1 m1²) + s2²/(n2 m2²).
    NMD by the delta method: D² (s1²/n1 + (1 - θ/100)² s2²/n2 + (θ/100)² s_ref²/n_ref) with
    D = 100 / (m_ref - m2); ``conventional`` takes D as known: D² (s1²/n1 + s2²/n2).

    References
    ----------
    Hedges LV, Olkin I (1985). Statistical Methods for Meta-Analysis, chapter 5.
    Viechtbauer W (2010). Conducting meta-analyses in R with the metafor package. J Stat Softw
    36(3).
    Vesterinen HM et al. (2014). Meta-analysis of data from animal studies. J Neurosci Methods
    221:92-102.
    Nakagawa S et al. (2015). Meta-analysis of variation. Methods Ecol Evol 6:143-152.

    Examples
    --------
    >>> row = pd.DataFrame({"n_treated": [6], "mean_treated": [2.5], "sd_treated": [1.0],
    ...                     "n_control": [6], "mean_control": [0.0], "sd_control": [1.0]})
    >>> effect_sizes(row).round(6)
         effect  variance        se
    0  2.306864  0.555068  0.745029
    """
    measure = str(measure).upper()
    variances = SMD_VARIANCES + NMD_VARIANCES if measure == "NMD" else SMD_VARIANCES
    for name, value, known in (
        ("measure", measure, MEASURES + SPREAD_MEASURES),
        ("correction", correction, CORRECTIONS),
        (f"variance of {measure}", variance, variances),
    ):
        if value not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}, not {value!r}")

    given = brings_own(table)
    effect, sampling = np.empty((2, len(table)))
    if given.any():
        own = table[given]
        effect[given], sampling[given] = _numbers(own["effect"]), _numbers(own["se"]) ** 2
    if not given.all():
        columns = group_data(table[~given] if given.any() else table, measure)
        if measure == "SMD" and variance == "average" and average is None:
            average = average_smd(table, correction=correction)
        columns["average"] = average
        with np.errstate(divide="ignore", invalid="ignore"):  # what is undefined is refused below
            effect[~given], sampling[~given] = FORMULAS[measure](columns, correction, variance)
    _refuse(
        ~(np.isfinite(effect) & np.isfinite(sampling) & (sampling > 0)),
        table.index,
        f"{measure} is undefined or has no variance{_NEEDS.get(measure, '')}",
    )
    return pd.DataFrame(
        {"effect": effect, "variance": sampling, "se": np.sqrt(sampling)}, index=table.index
    )


def average_smd(table, *, correction="exact"):
    """Average Hedges g of the rows with group data, weighted by their animals.

    Parameters
    ----------
    table : pandas.DataFrame
        As `effect_sizes` takes it, the rows of one outcome that are used. A column ``sign`` turns
        effects round first. Rows that bring their own effect stay out.
    correction : {"exact", "approximate", "none"}

    Returns
    -------
    float
        ḡ = Σ N g / Σ N, N = n_treated + n_control of whole groups; NaN without a row.

    References
    ----------
    Hedges LV, Olkin I (1985), chapter 6; ``escalc(vtype="AV")`` of metafor.
    """
    rows = table[~brings_own(table)]
    if rows.empty:
        return np.nan
    g = effect_sizes(rows, correction=correction)["effect"]
    if "sign" in rows:
        g = g * rows["sign"]
    n = rows["n_treated"] + rows["n_control"]
    return float((n * g).sum() / n.sum())


def brings_own(table):
    """Which rows bring their own effect and standard error, as an array of bool."""
    if not {"effect", "se"} <= set(table.columns):
        return np.zeros(len(table), dtype=bool)
    return (table["effect"].notna() & table["se"].notna()).to_numpy()


def _numbers(column):
    return column.to_numpy(float, na_value=np.nan)


class UndefinedEffect(ValueError):
    """Rows without an effect; ``rows`` are their labels, ``reason`` is why."""

    def __init__(self, message, rows, reason):
        super().__init__(message)
        self.rows, self.reason = rows, reason


def undefined(table, **options):
    """Why rows have no effect.

    Parameters
    ----------
    table : pandas.DataFrame
        As `effect_sizes` takes it; its index names each row once.
    options
        As `effect_sizes` takes them.

    Returns
    -------
    pandas.Series of str
        With the index of `table`, empty where the effect is defined.
    """
    reasons = pd.Series("", table.index, dtype=object)
    if str(options.get("measure")).upper() == "ROM":
        # Of two negative means the ratio is above 0 too, but it points the other way.
        negative = (table[["mean_treated", "mean_control"]] < 0).all(axis=1) & ~brings_own(table)
        reasons[negative] = f"ROM is undefined{_NEEDS['ROM']}"
    while (left := reasons == "").any():
        try:
            effect_sizes(table[left], **options)
            break
        except UndefinedEffect as error:
            reasons[error.rows] = error.reason
    return reasons


def _refuse(bad, index, words):
    if bad.any():
        rows = ", ".join(str(label) for label in index[bad][:10])
        more = "" if bad.sum() <= 10 else f" and {int(bad.sum()) - 10} more"
        raise UndefinedEffect(f"{words} in row(s) {rows}{more}", index[bad], words)


_WAY_OUT = (
    ". NMD needs the uninjured value: a column mean_reference, or `reference` for the outcome in "
    "review.toml"
)


def group_data(table, measure):
    """Group data of rows as the `FORMULAS` take them, refused where no effect can be computed.

    Parameters
    ----------
    table, measure
        As in `effect_sizes`.

    Returns
    -------
    dict of numpy.ndarray, shape (k,)
        The `GROUP_COLUMNS`, ``n_split`` and ``df``; for NMD the `REFERENCE_COLUMNS`.
    """
    missing = [name for name in GROUP_COLUMNS if name not in table.columns]
    if measure == "NMD" and "mean_reference" not in table.columns:
        missing.append("mean_reference")
    if missing:
        raise ValueError(f"column(s) missing: {', '.join(missing)}{_WAY_OUT * (measure == 'NMD')}")
    data = {name: _numbers(table[name]) for name in GROUP_COLUMNS}
    split = _numbers(table.get("n_control_split", table["n_control"]))
    data["n_split"] = np.where(np.isnan(split), data["n_control"], split)

    def refuse(bad, words):
        _refuse(bad, table.index, words)

    for name, values in data.items():
        refuse(~np.isfinite(values), f"{name} is missing or not a number")
    for name in ("n_treated", "n_control"):
        refuse(data[name] < 1, f"{name} is below 1")
    refuse(data["n_split"] <= 0, "n_control_split is not above 0")
    for name in ("sd_treated", "sd_control"):
        refuse(data[name] < 0, f"{name} is negative")
    data["df"] = data["n_treated"] + data["n_control"] - 2
    refuse(data["df"] < 1, "n_treated + n_control - 2 is below 1")
    if measure == "NMD":
        data["mean_reference"] = _numbers(table["mean_reference"])
        empty = pd.Series(np.nan, index=table.index)
        sd, n = (_numbers(table.get(name, empty)) for name in REFERENCE_COLUMNS[1:])
        refuse(~np.isfinite(data["mean_reference"]), "mean_reference is missing or not a number")
        refuse(data["mean_reference"] == data["mean_control"], "mean_reference equals mean_control")
        refuse((sd > 0) & ~(n >= 1), "sd_reference has no n_reference of at least 1")
        refuse(sd < 0, "sd_reference is negative")
        data["sd_reference"] = np.nan_to_num(sd)
        data["n_reference"] = np.where(n >= 1, n, 1.0)
    return data


def _pooled_variance(data):
    treated = (data["n_treated"] - 1) * data["sd_treated"] ** 2
    control = (data["n_control"] - 1) * data["sd_control"] ** 2
    return (treated + control) / data["df"]


def _smd(data, correction, variance):
    n1, n2, m = data["n_treated"], data["n_split"], data["df"]
    # A share of a control group can leave too few degrees of freedom for J to exist.
    m_split = np.where(n1 + n2 - 2 < 2, m, n1 + n2 - 2)
    j = small_sample_factor(m_split, correction)
    j = np.where(j > 0, j, np.nan)  # 0 with one degree of freedom
    d = (data["mean_treated"] - data["mean_control"]) / np.sqrt(_pooled_variance(data))
    g, total, sizes = j * d, n1 + n2, 1 / n1 + 1 / n2
    if variance == "metafor":
        sampling = sizes + g**2 / (2 * total)
    elif variance == "stata":
        sampling = j**2 * (sizes + d**2 / (2 * total))
    elif variance == "unbiased":
        exact = small_sample_factor(m_split)
        sampling = sizes + (1 - (m_split - 2) / (m_split * exact**2)) * g**2
    elif variance == "average":
        sampling = sizes + data["average"] ** 2 / (2 * (n1 + data["n_control"]))
    else:
        sampling = np.where(total > 3.94, sizes + g**2 / (2 * (total - 3.94)), np.nan)
    return g, sampling


def _glass(data, correction, variance):
    n1, n2 = data["n_treated"], data["n_split"]
    delta = (data["mean_treated"] - data["mean_control"]) / data["sd_control"]
    return delta, 1 / n1 + 1 / n2 + delta**2 / (2 * (n2 - 1))


def _mean_difference(data, correction, variance):
    n1, n2 = data["n_treated"], data["n_split"]
    if variance == "stata":
        sampling = _pooled_variance(data) * (1 / n1 + 1 / n2)
    else:
        sampling = data["sd_treated"] ** 2 / n1 + data["sd_control"] ** 2 / n2
    return data["mean_treated"] - data["mean_control"], sampling


def _ratio_of_means(data, correction, variance):
    m1, m2 = data["mean_treated"], data["mean_control"]
    ratio = np.where(m1 * m2 > 0, m1 / m2, np.nan)
    treated = data["sd_treated"] ** 2 / (data["n_treated"] * m1**2)
    control = data["sd_control"] ** 2 / (data["n_split"] * m2**2)
    return np.log(ratio), treated + control


def _variability_ratio(data, correction, variance):
    half = [1 / (2 * (data[n] - 1)) for n in ("n_treated", "n_control", "n_split")]
    return np.log(data["sd_treated"] / data["sd_control"]) + half[0] - half[1], half[0] + half[2]


def _variation_ratio(data, correction, variance):
    spread, sampling = _variability_ratio(data, correction, variance)
    ratio, of_means = _ratio_of_means(data, correction, variance)
    both = (data["mean_treated"] > 0) & (data["mean_control"] > 0)
    return np.where(both, spread - ratio, np.nan), sampling + of_means


def _normalised(data, correction, variance):
    scale = 100 / (data["mean_reference"] - data["mean_control"])
    theta = scale * (data["mean_treated"] - data["mean_control"])
    treated = data["sd_treated"] ** 2 / data["n_treated"]
    control = data["sd_control"] ** 2 / data["n_split"]
    if variance == "conventional":
        return theta, scale**2 * (treated + control)
    reference = data["sd_reference"] ** 2 / data["n_reference"]
    share = theta / 100
    return theta, scale**2 * (treated + (1 - share) ** 2 * control + share**2 * reference)


_NEEDS = {
    "ROM": ": both means must be above 0",
    "GLASS": ": the SD of the control group must be above 0",
}
# By measure: estimate and sampling variance from (group data, correction, variance), elementwise.
FORMULAS = {
    "SMD": _smd,
    "GLASS": _glass,
    "MD": _mean_difference,
    "ROM": _ratio_of_means,
    "NMD": _normalised,
    "VR": _variability_ratio,
    "CVR": _variation_ratio,
}
