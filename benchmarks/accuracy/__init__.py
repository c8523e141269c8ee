"""How right the measuring is: the virtual athlete over a grid drawn at random, and every usable recording."""
