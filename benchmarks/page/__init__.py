"""A crowded coach's page: frames a second, and how old what it shows is."""
