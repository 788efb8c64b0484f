"""Which rows of a review an analysis keeps."""
