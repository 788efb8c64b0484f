"""Headings in several languages and in the names of metafor, meta and RevMan."""

import pytest
from own_review import write_csv

from helpers.new.folder import new
from helpers.new.headings import read_heading
from helpers.review.description import describe
from helpers.review.review import load

GROUPS = [(8, 4.1, 1.2, 9, 6.0, 1.4), (10, 3.9, 1.1, 10, 5.5, 1.3), (12, 4.4, 0.9, 11, 5.1, 1.0)]
COUNTS = [(3, 12, 8, 12), (2, 10, 6, 10), (4, 11, 9, 11)]
STUDIES = ("Able 2011", "Baker 2012", "Cole 2013")
OURS = ("n_treated", "mean_treated", "sd_treated", "n_control", "mean_control", "sd_control")


def made(folder, headings, rows, study="Study"):
    """What `new` makes of a sheet: its columns, its questions and its description."""
    table = [
        {study: name} | dict(zip(headings, cells, strict=True))
        for name, cells in zip(STUDIES, rows, strict=True)
    ]
    write_csv(folder / "sheet.csv", table)
    todo = new(folder / "review", folder / "sheet.csv")
    return describe(folder / "review"), todo


@pytest.mark.parametrize(
    ("study", "headings", "asked"),
    [
        # German
        ("Studie", "n Therapie|MW Therapie|StAbw Therapie|n Kontrolle|MW Kontrolle|StAbw Kontrolle", 0),
        ("Erstautor", "Fallzahl Interventionsgruppe|Mittelwert Interventionsgruppe|"
         "Standardabweichung Interventionsgruppe|Fallzahl Kontrollgruppe|Mittelwert Kontrollgruppe|"
         "Standardabweichung Kontrollgruppe", 0),
        ("Publikation", "Anzahl Tiere Verum|Mittel Verum|SD Verum|Anzahl Tiere Placebo|"
         "Mittel Placebo|SD Placebo", 0),
        ("Quelle", "N_behandelt|Mittel_behandelt|SD_behandelt|N_unbehandelt|Mittel_unbehandelt|"
         "SD_unbehandelt", 0),
        # French
        ("Étude", "effectif traité|moyenne traité|écart-type traité|effectif témoin|moyenne témoin|"
         "écart-type témoin", 0),
        ("Etude", "effectif traite|moyenne traite|ecart type traite|effectif temoin|moyenne temoin|"
         "ecart type temoin", 0),
        ("Auteurs", "Taille de l'échantillon (traitement)|Moyenne (traitement)|ET (traitement)|"
         "Taille de l'échantillon (contrôle)|Moyenne (contrôle)|ET (contrôle)", 2),
        ("Référence", "nb animaux groupe traité|moy groupe traité|écart-type groupe traité|"
         "nb animaux groupe témoin|moy groupe témoin|écart-type groupe témoin", 0),
        # Spanish
        ("Estudio", "n tratado|media tratado|desviación tratado|n control|media control|"
         "desviación control", 0),
        ("Autor", "Tamaño muestral tratamiento|Media tratamiento|Desviación estándar tratamiento|"
         "Tamaño muestral control|Media control|Desviación estándar control", 0),
        ("Artículo", "N_tratados|Media_tratados|DE_tratados|N_controles|Media_controles|"
         "DE_controles", 2),
        ("Referencia", "número de animales intervención|promedio intervención|desv. est. intervención|"
         "número de animales testigo|promedio testigo|desv. est. testigo", 0),
        # Italian, Portuguese
        ("Studio", "n trattati|media trattati|deviazione standard trattati|n controlli|"
         "media controlli|deviazione standard controlli", 0),
        ("Autori", "Numero animali trattamento|Media trattamento|DS trattamento|"
         "Numero animali controllo|Media controllo|DS controllo", 4),
        ("Estudo", "n tratamento|média tratamento|desvio padrão tratamento|n controle|"
         "média controle|desvio padrão controle", 0),
        # RevMan, meta
        ("Study or Subgroup", "Total Experimental|Mean Experimental|SD Experimental|Total Control|"
         "Mean Control|SD Control", 2),
        ("Study", "Experimental N|Experimental mean|Experimental SD|Control N|Control mean|"
         "Control SD", 0),
        ("studlab", "n.e|mean.e|sd.e|n.c|mean.c|sd.c", 0),
        # Which group is the treated one is a convention, so each column is asked for.
        ("slab", "n1i|m1i|sd1i|n2i|m2i|sd2i", 6),
        ("study", "N1i|M1i|SD1i|N2i|M2i|SD2i", 6),
        ("author", "Total 1|Mean 1|SD 1|Total 2|Mean 2|SD 2", 6),
    ],
)  # fmt: skip
def test_means_in_any_language(tmp_path, study, headings, asked):
    headings = headings.split("|")
    found, _ = made(tmp_path, headings, GROUPS, study)
    columns = found.sheet.columns
    assert {name: columns[name] for name in OURS} == dict(zip(OURS, headings, strict=True))
    assert columns["study"] == study and found.moderators == {}
    assert sum(name.removeprefix("sheet.columns.") in OURS for name in found.unconfirmed) == asked
    review = load(tmp_path / "review")
    assert review.experiments["mean_control"].tolist() == [6.0, 5.5, 5.1]


@pytest.mark.parametrize(
    ("headings", "kind"),
    [
        ("n Verum|Mittelwert Verum|Standardfehler Verum|n Placebo|Mittelwert Placebo|"
         "Standardfehler Placebo", "SEM"),
        ("n traités|moyenne traités|erreur standard traités|n témoins|moyenne témoins|"
         "erreur standard témoins", "SEM"),
        ("n tratados|media tratados|error estándar tratados|n controles|media controles|"
         "error estándar controles", "SEM"),
        ("n trattati|media trattati|errore standard trattati|n controlli|media controlli|"
         "errore standard controlli", "SEM"),
        ("n traité|moyenne traité|erreur traité|n témoin|moyenne témoin|erreur témoin", "FILL IN"),
        ("Ne|Me|Se|Nc|Mc|Sc", "FILL IN"),  # S is an SD in meta's manual, an SE elsewhere
    ],
)  # fmt: skip
def test_a_standard_error_is_no_sd_in_any_language(tmp_path, headings, kind):
    found, todo = made(tmp_path, headings.split("|"), GROUPS)
    assert found.sheet.constants["error_type"] == kind
    assert any("error_type" in line for line in todo)


@pytest.mark.parametrize(
    ("effect", "error", "column"),
    [
        ("yi", "vi", "variance"),
        ("yi", "sei", "se"),
        ("TE", "seTE", "se"),
        ("Std. Mean Difference", "SE", "se"),
        ("log[Hazard Ratio]", "SE", "se"),
        ("Effektgröße", "Standardfehler", "se"),
        ("Effektstärke", "Varianz", "variance"),
        ("taille d'effet", "erreur standard", "se"),
        ("tamaño del efecto", "error estándar", "se"),
        ("dimensione dell'effetto", "varianza", "variance"),
    ],
)
def test_effects_in_any_language(tmp_path, effect, error, column):
    rows = [(-0.9, 0.25), (-0.5, 0.2), (-1.2, 0.3)]
    found, _ = made(tmp_path, (effect, error), rows)
    columns = found.sheet.columns
    assert (columns["effect"], columns[column]) == (effect, error)
    review = load(tmp_path / "review")
    first = 0.5 if column == "variance" else 0.25
    assert review.experiments["se"].iloc[0] == pytest.approx(first)


@pytest.mark.parametrize(
    ("headings", "asked"),
    [
        ("Deaths treated|N treated|Deaths control|N control", 0),
        ("Experimental Events|Experimental Total|Control Events|Control Total", 2),
        ("Experimental cases|Experimental N|Control cases|Control N", 0),
        ("event.e|n.e|event.c|n.c", 0),
        ("ai|n1i|ci|n2i", 4),
        ("Todesfälle Behandlung|n Behandlung|Todesfälle Kontrolle|n Kontrolle", 0),
        ("événements traité|effectif traité|événements témoin|effectif témoin", 0),
        ("eventos tratado|total tratado|eventos control|total control", 2),
        ("decessi trattati|totale trattati|decessi controlli|totale controlli", 2),
    ],
)
def test_events_in_any_language(tmp_path, headings, asked):
    headings = headings.split("|")
    found, _ = made(tmp_path, headings, COUNTS)
    names = ("events_treated", "n_treated", "events_control", "n_control")
    columns = found.sheet.columns
    assert {name: columns[name] for name in names} == dict(zip(names, headings, strict=True))
    assert not {"mean_treated", "sd_treated"} & set(columns)
    assert sum(name.removeprefix("sheet.columns.") in names for name in found.unconfirmed) == asked
    assert "settings.measure" in found.unconfirmed  # odds ratio, risk ratio or difference
    review = load(tmp_path / "review")
    # ln(3 * 4 / (9 * 8))
    assert review.experiments["effect"].iloc[0] == pytest.approx(-1.7917595)


@pytest.mark.parametrize("headings", ["ai|bi|ci|di", "tpos|tneg|cpos|cneg"])
def test_four_cells_of_a_table_of_events(tmp_path, headings):
    rows = [(a, n1 - a, c, n2 - c) for a, n1, c, n2 in COUNTS]
    found, _ = made(tmp_path, headings.split("|"), rows)
    assert "sheet.columns.events_treated" in found.unconfirmed
    review = load(tmp_path / "review")
    assert review.experiments["n_treated"].tolist() == [12, 10, 11]
    assert review.experiments["effect"].iloc[0] == pytest.approx(-1.7917595)


@pytest.mark.parametrize(
    ("headings", "name"),
    [
        ("HR|CI low|CI high", "log hazard ratio"),
        ("Hazard Ratio|CI start|CI end", "log hazard ratio"),
        ("OR|95% CI lower|95% CI upper", "log odds ratio"),
        ("Risk ratio|95%-KI untere Grenze|95%-KI obere Grenze", "log risk ratio"),
    ],
)
def test_ratios_with_both_ends_of_their_interval(tmp_path, headings, name):
    headings = headings.split("|")
    rows = [(0.62, 0.40, 0.96), (0.75, 0.50, 1.13), (0.50, 0.28, 0.89)]
    found, _ = made(tmp_path, headings, rows)
    columns = found.sheet.columns
    assert [columns[each] for each in ("ratio", "ratio_low", "ratio_high")] == headings
    assert (found.sheet.effect_name, found.sheet.effect_scale) == (name, "log")
    assert {"sheet.columns.ratio_low", "sheet.effect_name"} <= set(found.unconfirmed)
    review = load(tmp_path / "review")
    assert review.experiments["effect"].iloc[0] == pytest.approx(-0.4780358)


def test_events_beside_means_are_not_used(tmp_path):
    headings = [
        "n_t",
        "mean_t",
        "sd_t",
        "n_c",
        "mean_c",
        "sd_c",
        "Deaths treated",
        "Deaths control",
    ]
    found, todo = made(tmp_path, headings, [(*row, 1, 2) for row in GROUPS])
    assert "events_treated" not in found.sheet.columns
    assert any("Deaths treated, Deaths control: not used" in line for line in todo)


@pytest.mark.parametrize(
    ("heading", "quantity"),
    [
        ("Numéro du groupe", ""),
        ("Titre de l'étude", ""),
        ("edad de los animales", ""),
        ("et", ""),
        ("Dosis control", ""),
        ("Gewicht Kontrolle", ""),
        ("cases of controls", "events"),
    ],
)
def test_what_is_no_number_of_a_group_stays_none(heading, quantity):
    assert read_heading(heading).quantity == quantity
