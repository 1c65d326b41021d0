"""Explanations of 100 rows of Adult: the same network, the same rows, the same background for everybody."""
