"""The web page and the server that hands it out."""
