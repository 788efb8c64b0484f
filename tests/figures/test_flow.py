"""The flow of records: boxes, numbers, reasons."""

from itertools import combinations

import pandas as pd
import pytest
from drawn import overlaps, strings, text_boxes
from matplotlib.patches import Rectangle

from helpers.figures.flow import flow


class TestFlow:
    counts = pd.DataFrame(
        [
            ("identification", "records found", 1009),
            ("identification", "duplicates removed", 507),
            ("screening", "records screened", 502),
            ("eligibility", "full texts reviewed", 156),
            ("excluded_full_text", "reviews", 52),
            ("excluded_full_text", "no mesenchymal stem cells", 39),
            ("included", "articles", 65),
        ],
        columns=["stage", "item", "n"],
    )

    def texts(self, counts):
        return [text.replace("\u00a0", " ").strip() for text in strings(flow(counts))]

    def test_boxes_bear_their_numbers_and_reasons(self):
        texts = self.texts(self.counts)
        for text in (
            "Records found (n = 1009)",
            "Duplicates removed (n = 507)",
            "Records excluded (n = 346, by subtraction)",
            "Full texts excluded (n = 91)",
            "reviews: 52",
            "Articles (n = 65)",
        ):
            assert text in texts
        assert not any("is not" in text for text in texts)

    def test_a_gap_is_shown(self):
        counts = self.counts.copy()
        counts.loc[6, "n"] = 63
        assert "156 − 91 is not 63" in self.texts(counts)

    def test_texts_stay_in_their_boxes(self):
        ax = flow(self.counts)
        boxes, names = text_boxes(ax)
        assert overlaps(boxes, names) == []
        frames = [box.get_window_extent() for box in ax.findobj(Rectangle) if box.get_width() > 3]
        held = [
            any(f.x0 < x0 and x1 < f.x1 and f.y0 < y0 and y1 < f.y1 for f in frames)
            for x0, y0, x1, y1 in boxes
        ]
        assert all(held)


class TestColumns:
    """Registers beside databases, other methods in a second column, an earlier version before."""

    counts = pd.DataFrame(
        [
            ("previous", "studies included before", 20, "previous"),
            ("identification", "databases", 1009, "databases"),
            ("identification", "registers", 11, "registers"),
            ("identification", "duplicates removed", 507, ""),
            ("screening", "records screened", 513, ""),
            ("excluded_screening", "records excluded", 400, ""),
            ("retrieval", "reports sought", 113, ""),
            ("not_retrieved", "reports not retrieved", 13, ""),
            ("eligibility", "reports assessed", 100, ""),
            ("excluded_full_text", "reviews", 52, ""),
            ("excluded_full_text", "no control group", 8, ""),
            ("identification", "websites", 5, "other"),
            ("eligibility", "reports assessed, other methods", 5, "other"),
            ("excluded_full_text", "not in vivo", 2, "other"),
            ("included", "new reports", 43, ""),
            ("total", "reports in all", 63, ""),
        ],
        columns=["stage", "item", "n", "source"],
    )

    @pytest.mark.parametrize("narrow", [False, True])
    def test_boxes_stand_apart_and_hold_their_texts(self, narrow):
        ax = flow(self.counts, narrow=narrow)
        assert ax.figure.get_figwidth() < (4 if narrow else 11)
        boxes, names = text_boxes(ax)
        assert overlaps(boxes, names) == []
        frames = [
            box.get_window_extent() for box in ax.findobj(Rectangle) if box.get_height() > 0.2
        ]
        frames = [f for f in frames if f.width < ax.figure.bbox.width * 0.9]
        for one, other in combinations(frames, 2):
            assert (
                one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
            )
        titles = {"Earlier version", "Databases and registers", "Other methods"}
        for (x0, y0, x1, y1), name in zip(boxes, names, strict=True):
            held = any(f.x0 < x0 and x1 < f.x1 and f.y0 < y0 and y1 < f.y1 for f in frames)
            assert held != (name in titles), name
        assert titles <= set(names)

    def test_the_sums_hold_over_the_columns(self):
        # (100 - 60) + (5 - 2) = 43; 20 + 43 = 63
        assert not any("is not" in text for text in strings(flow(self.counts)))
        counts = self.counts.copy()
        counts.loc[14, "n"] = 44
        assert any("100 + 5 − 62 is not 44" in text for text in strings(flow(counts)))

    def test_a_flow_from_databases_alone_has_no_column_titles(self):
        alone = self.counts[~self.counts["source"].isin(["other", "previous"])]
        assert "Databases and registers" not in strings(flow(alone))
