"""rall."""
