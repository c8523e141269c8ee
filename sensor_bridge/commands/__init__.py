"""One module a command: what `cli` hands the parsed arguments to."""
