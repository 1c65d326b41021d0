"""Charts as SVG, without a library: marks, axes, line charts, and galleries of charts."""
