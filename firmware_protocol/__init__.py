"""The wire contract between Hipline's sensors and everything that listens to them."""
