"""From blocks to one self-contained HTML page."""
