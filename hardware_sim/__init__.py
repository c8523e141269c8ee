"""The stand-in world: virtual athlete, virtual sensors, virtual radio."""
