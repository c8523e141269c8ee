"""Real recordings, one adapter a data set."""
