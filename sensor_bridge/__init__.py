"""The world: radio, broker, disk, browser, terminal and configuration."""
