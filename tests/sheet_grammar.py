"""Made-up sheets by a grammar of people's habits, with the truth they were made from.

Nothing here reads a sheet, and nothing of the project is imported: what is true is known before it
is written down in some habit.
"""

import csv
import io
from dataclasses import dataclass, field

import openpyxl
from hypothesis import strategies as st

WORDS = {
    "en": {
        "study": ["Study", "Author", "Reference", "First author, year"],
        "outcome": ["Outcome", "Outcome measure", "Endpoint"],
        "treated": ["treated", "Treatment", "Drug", "intervention"],
        "control": ["control", "Control", "Vehicle", "control"],
        "n": ["n", "N", "number of animals", "sample size"],
        "mean": ["mean", "Mean", "Mean", "average"],
        "SD": ["SD", "sd", "standard deviation", "SD"],
        "SEM": ["SEM", "sem", "standard error", "SE"],
    },
    "de": {
        "study": ["Studie", "Autor"],
        "outcome": ["Zielgröße", "Endpunkt"],
        "treated": ["Behandlung", "behandelt"],
        "control": ["Kontrolle", "Kontrolle"],
        "n": ["n", "Anzahl Tiere"],
        "mean": ["Mittelwert", "Mittelwert"],
        "SD": ["SD", "Standardabweichung"],
        "SEM": ["SEM", "Standardfehler"],
    },
    "fr": {
        "study": ["Étude", "Auteur"],
        "outcome": ["Critère", "Critère de jugement"],
        "treated": ["traité", "traités"],
        "control": ["témoin", "témoins"],
        "n": ["n", "effectif"],
        "mean": ["moyenne", "Moyenne"],
        "SD": ["écart-type", "ET"],
        "SEM": ["SEM", "erreur standard"],
    },
    "es": {
        "study": ["Estudio", "Autor"],
        "outcome": ["Resultado", "Variable"],
        "treated": ["tratado", "tratamiento"],
        "control": ["control", "control"],
        "n": ["n", "tamaño"],
        "mean": ["media", "Media"],
        "SD": ["DE", "desviación estándar"],
        "SEM": ["EEM", "error estándar"],
    },
}
SAID = {
    "error": {"en": "Error", "de": "Fehler", "fr": "Erreur", "es": "Error"},
    "group": {"en": "Group", "de": "Gruppe", "fr": "Groupe", "es": "Grupo"},
    "error type": {
        "en": "Error type",
        "de": "Fehlertyp",
        "fr": "Type d'erreur",
        "es": "Tipo de error",
    },
}
OUTCOMES = ("Infarct volume", "Escape latency", "Cell count", "BBB score")
NAMES = ("Abe", "Braun", "Costa", "Duval", "Egan", "Fuchs", "Gupta", "Haas", "Ito", "Jung")


@dataclass
class Sheet:
    """A sheet as somebody kept it.

    Attributes
    ----------
    rows : list of list
        Cells, headings included; numbers where a workbook would store them.
    truth : list of tuple
        ``study, outcome, n, mean, SD`` of the treated and ``n, mean, SD`` of the control group, of
        each comparison that the sheet fully reports.
    habits : tuple of str
        How it was kept.
    """

    rows: list
    truth: list
    habits: tuple
    kind: str = "csv"
    encoding: str = "utf-8"
    separator: str = ","
    merged: list = field(default_factory=list)

    def write(self, folder):
        """The file, written into a folder."""
        path = folder / f"sheet.{self.kind}"
        if self.kind == "xlsx":
            book = openpyxl.Workbook()
            for row in self.rows:
                book.active.append([None if cell == "" else cell for cell in row])
            for span in self.merged:
                book.active.merge_cells(start_row=span[0], end_row=span[1], start_column=span[2],
                                        end_column=span[3])  # fmt: skip
            book.save(path)
            return path
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.separator).writerows(self.rows)
        path.write_bytes(text.getvalue().encode(self.encoding))
        return path


def group(random, digits):
    """Animals, mean and error of one group."""
    return (
        random.randint(3, 24),
        round(random.uniform(5, 90), digits),
        round(random.uniform(0.6, 9), digits),
    )


@st.composite
def sheets(draw):
    """Any sheet of the grammar."""
    return sheet(draw(st.randoms(use_true_random=True)))


def sheet(random):
    """One sheet, its habits and numbers drawn."""

    def pick(*options):
        return random.choice(options)

    language = pick(*WORDS)
    words = {name: pick(*each) for name, each in WORDS[language].items()}
    error = pick("SD", "SEM")
    digits = pick(1, 2)
    kind = pick("csv", "csv", "xlsx")
    comma = pick(False, True) if kind == "csv" else False
    separator = ";" if comma else pick(",", ";", "\t")
    encoding = pick("utf-8", "utf-8-sig", "cp1252", "utf-16") if kind == "csv" else "utf-8"
    layout = pick("beside", "beside", "long", "arms")
    together = layout != "arms" and pick(False, False, True)  # "4.1 ± 1.2" in one cell
    count = pick("plain", "plain", "plain", "n =", "~", "range")
    studies_at_top = pick(False, False, True)
    two_rows = layout == "beside" and not together and pick(False, False, True)
    title = pick(False, False, True) and not two_rows
    blank_rows = pick(False, False, True)
    total = pick(False, False, False, True)
    missing = pick(None, None, "NR", "NA", "n.r.", "-", "999")
    several_outcomes = pick(False, True)
    error_column = not together and layout != "arms" and pick(False, False, True)
    odd_word = error_column and pick(False, False, True)
    order = pick("by group", "by number")

    def shown(value):
        """A number as this sheet writes it."""
        if kind == "xlsx":
            return value
        text = f"{value:.{digits}f}" if isinstance(value, float) else str(value)
        return text.replace(".", ",") if comma else text

    def sized(n, place):
        if place or count == "plain":
            return shown(n)
        return {"n =": f"n = {n}", "~": f"~{n}", "range": f"{n}-{n + 2}"}[count]

    def spread(one, kind_here):
        n, _, value = one
        return value if kind_here == "SD" else value * n**0.5

    entries, truth = [], []
    for at in range(pick(2, 3, 4)):
        study = f"{NAMES[at]} {2001 + at}"
        for outcome in OUTCOMES[: 2 if several_outcomes else 1]:
            arms = [group(random, digits) for _ in range(2 if layout == "arms" else 1)]
            entries.append((study, outcome, arms, group(random, digits)))
    lost = random.randrange(len(entries)) if missing else None
    heads, lines = [], []
    label = {"SD": words["SD"], "SEM": words["SEM"]}[error]
    spell = f"{words['mean']} ± {label}"

    def cells(one, place, gone=False):
        n, mean, value = one
        mean = missing if gone else shown(mean)
        if together:
            return [sized(n, place), mean if gone else f"{mean} ± {shown(value)}"]
        return [sized(n, place), mean, shown(value)]

    names = [words["n"], spell] if together else [words["n"], words["mean"], label]
    if error_column:
        names[2] = SAID["error"][language]
    for place, (study, outcome, arms, control) in enumerate(entries):
        gone = place == lost
        kind_here = error
        if odd_word and place == 1:
            kind_here = "SD" if error == "SEM" else "SEM"
        for arm in arms:
            if not gone:
                truth.append(
                    (
                        study,
                        outcome,
                        arm[0],
                        arm[1],
                        spread(arm, kind_here),
                        control[0],
                        control[1],
                        spread(control, kind_here),
                    )
                )
        start = [study, outcome] if several_outcomes or layout == "long" else [study]
        kinds = [kind_here] if error_column else []
        if layout == "long":
            lines.append([*start, words["treated"], *cells(arms[0], place, gone), *kinds])
            lines.append([*start, words["control"], *cells(control, 1), *kinds])
        else:
            parts = [cells(arms[0], place, gone)]
            parts += [cells(arm, 1, gone) for arm in arms[1:]] + [cells(control, 1)]
            if order == "by number" and layout == "beside":
                parts = [list(cells_of) for cells_of in zip(*parts, strict=True)]
            lines.append([*start, *(cell for part in parts for cell in part), *kinds])
    start = [words["study"]] + [words["outcome"]] * (several_outcomes or layout == "long")
    kinds = [SAID["error type"][language]] if error_column else []
    treated, control = words["treated"], words["control"]
    if layout == "long":
        heads = [[*start, SAID["group"][language], *names, *kinds]]
    elif layout == "arms":
        labels = [f"{treated} 5 mg", f"{treated} 10 mg", control]
        heads = [[*start, *(f"{arm} {name}" for arm in labels for name in names), *kinds]]
    else:
        labels = [(arm, name) for arm in (treated, control) for name in names]
        if order == "by number":
            labels = [(arm, name) for name in names for arm in (treated, control)]
        if two_rows and order == "by group":
            upper = [
                arm if place % len(names) == 0 else "" for place, (arm, _) in enumerate(labels)
            ]
            heads = [[*[""] * len(start), *upper, *[""] * len(kinds)],
                     [*start, *(name for _, name in labels), *kinds]]  # fmt: skip
        else:
            two_rows = False
            heads = [[*start, *(f"{arm} {name}" for arm, name in labels), *kinds]]
    if studies_at_top:
        seen = None
        for line in lines:
            line[0], seen = ("" if line[0] == seen else line[0]), line[0]
    if blank_rows:
        lines[2:2] = [[""] * len(heads[-1])]
    if total:
        size = sum(entry[3][0] for entry in entries)
        rest = len(heads[-1]) - len(start) - 1
        lines.append(["Total", *[""] * (len(start) - 1), size, *[""] * rest])
    top = [["Extraction sheet, made up", *[""] * (len(heads[-1]) - 1)]] if title else []
    habits = (
        language, error, kind, "comma" * comma, layout, "±" * together, count,
        "top" * studies_at_top, "two rows" * two_rows, "title" * title, "total" * total,
        f"missing {missing}" * bool(missing), "error column" * error_column, "odd" * bool(odd_word),
    )  # fmt: skip
    return Sheet(
        [*top, *heads, *lines], truth, tuple(filter(None, habits)), kind, encoding, separator
    )
