"""Plain HTTP on the port of the calls: endpoints for probes."""
