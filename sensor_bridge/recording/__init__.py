"""What is kept on disk: frame log, traces, results."""
