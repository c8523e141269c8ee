"""A session as one page to read, print and keep: HTML without scripts, with its pictures inside."""
