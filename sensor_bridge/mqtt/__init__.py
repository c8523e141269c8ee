"""MQTT: topics, payloads, client, outbox, embedded broker."""
