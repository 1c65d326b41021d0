"""Models behind HTTP: what comes is checked before it is read, and what is asked together is answered together."""
