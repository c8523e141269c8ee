"""A package, so that it is found before the folder ``tests`` that some libraries install beside themselves."""
