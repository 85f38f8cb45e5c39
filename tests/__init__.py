"""The tests: real parts, loopback services, no network."""
