"""Adult census, from the raw file to a test accuracy: each library in the way its own documentation shows."""
