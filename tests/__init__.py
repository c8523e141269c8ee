"""A package, so that it is found before the ``tests`` that some libraries install beside themselves."""
