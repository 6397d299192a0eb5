"""Any picture as a style: its colors and its strokes, in a network that is there already."""
