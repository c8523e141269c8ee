"""Training of the exercise model, and how right its confidence is."""
