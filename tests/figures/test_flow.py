"""The flow of records: boxes, numbers, reasons."""

import pandas as pd
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
