"""Each review is told by its own kind of evidence; only a rebuilt article is spoken of."""

import nbformat
from own_review import FAMILY, SPECIES, row, write

from helpers import Overview, Report
from helpers.review.description import PROJECT
from helpers.words import sentences

FOREIGN = ("article", "reconstruct", "printed", "author")


def review(folder, kind=None):
    rows = [
        row(f"e{i}", mean_treated=11 + i % 5, species=("mouse", "rat")[i % 2], study=f"s{i // 2}")
        for i in range(12)
    ]
    if kind:
        rows = [line | {"provenance": kind} for line in rows]
        return write(folder, rows, toml=f'[evidence]\nkind = "{kind}"\n{FAMILY}{SPECIES}')
    return write(folder, rows, toml=FAMILY + SPECIES)


def exhibits(folder):
    """All that a report and the overview of a review say."""
    report, overview = Report("movement", review=folder), Overview(folder)
    score = report.outcome("score")
    yield report.glance(), report.alerts(), report.evidence(), report.sentence()
    yield score.forest(), score.forest(by="species"), score.heterogeneity()
    yield score.result(), score.moderators(), score.presets(), score.published()
    yield score.galbraith(), score.funnel(), score.influence(), score.small_study()
    yield score.small_study_tests(), score.bubble("species"), score.excluded(), report.methods()
    yield overview.glance(), overview.alerts(), overview.evidence_map(), overview.pooled()
    yield overview.flow(), overview.audit(), overview.audit_summary(), overview.open_questions()
    yield overview.earlier_reviews(), overview.studies(), overview.article_index()


def told(folder):
    blocks = [block for some in exhibits(folder) for block in some if block is not None]
    return "\n".join(getattr(block, "text", block) for block in blocks)


def test_an_extracted_review_has_no_furniture_of_an_article_or_of_made_up_rows(tmp_path):
    text = told(review(tmp_path)).lower()
    for word in (*FOREIGN, "simulated.", "simulated rows", "made up,", "made-up"):
        assert word not in text, text[max(text.find(word) - 200, 0) :][:400]


def test_a_simulated_review_says_simulated_wherever_a_sentence_is_copied(tmp_path):
    folder = review(tmp_path, "simulated")
    report, overview = Report("movement", review=folder), Overview(folder)
    assert report.sentence().endswith("(Simulated data.)")
    assert overview.sentence().endswith("(Simulated data.)")
    assert report.outcome("score").result().text.endswith("The data are simulated.")
    assert "a program made up every row" in report.evidence().text
    assert "reconstruct" not in told(folder).lower()


def test_a_reconstructed_review_says_so(tmp_path):
    folder = review(tmp_path, "reconstructed")
    assert Overview(folder).sentence().endswith("(Reconstructed data.)")
    text = Report("movement", review=folder).evidence().text
    assert "agreement only shows that the reconstruction worked" in text
    assert "article prints" not in text  # it has no printed numbers to stand beside
    whole = Report("movement", review=folder)
    assert sentences.evidence_mark(whole.review) == " (Reconstructed data.)"


def test_the_default_review_speaks_of_its_article():
    report = Report("microglia")
    assert "what the article prints" in report.evidence().text
    assert "Article's settings" in report.outcome("iba_1").presets().text
    assert Overview().audit() is not None


def test_numbers_that_nobody_checked_do_not_agree(tmp_path):
    overview = Overview(review(tmp_path))
    assert overview.audited["checked"].sum() == 0
    assert overview.audit() is None
    assert overview.audit_summary() is None
    assert overview.flow_words() == ""


def test_rows_that_follow_no_parameter_are_called_so_only_where_it_is_true(tmp_path):
    folder = review(tmp_path)
    with open(folder / "review.toml", "a", encoding="utf-8") as stream:
        stream.write('[article]\ncitation = "A and B 2020"\n')
    words = "Of all settings only the measure reaches the rows other than the chosen"
    usual = Report("movement", review=folder, method="DL", level=0.9)
    assert words in usual.outcome("score").presets().text
    plain = Report("movement", review=folder)
    for preset in ("article", "recommended"):
        one, other = (getattr(r.analyses["score"], preset) for r in (usual, plain))
        assert one.estimate == other.estimate
        assert (one.ci_low, one.pi_low) == (other.ci_low, other.pi_low)
    fewer = Report("movement", review=folder, exclude=["e3"])
    assert fewer.analyses["score"].article.estimate != plain.analyses["score"].article.estimate
    assert words not in fewer.outcome("score").presets().text
    assert (
        "leave out the experiments that a parameter names" in fewer.outcome("score").presets().text
    )


def test_what_the_engine_warns_of_stands_under_the_results_side_by_side(tmp_path):
    rows = [row(f"e{i}", mean_treated=11 + i, study=name) for i, name in enumerate("aabc")]
    text = Report("movement", review=write(tmp_path, rows)).outcome("score").presets().text
    assert "Cluster-robust inference needs at least 5 studies, there are 3." in text
    assert "Three-level model, usual variance, z" in text
    assert "usual variance, CR2" not in text
    assert "clusters that CR2 needs" in text


def test_the_notebook_for_any_family_speaks_of_no_article(tmp_path):
    notebook = nbformat.read(PROJECT / "notebooks" / "family.ipynb", as_version=4)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown").lower()
    text += Report("movement", review=review(tmp_path)).how_to_read().text.lower()
    for word in FOREIGN[:3]:
        assert word not in text, word
    assert "the article tested together" in Report("microglia").how_to_read().text
