"""Hours of trouble on the radio in virtual time, each with an account of every sample."""
