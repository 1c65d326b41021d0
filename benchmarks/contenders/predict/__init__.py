"""Class probabilities of rows from a trained network: the median time of a call."""
