"""What Home Assistant shows of a gym, by its MQTT discovery."""
