"""Why a model says what it says of one sample, and how far that explanation can be believed."""
