"""What is answered to plain HTTP: pages for probes, on the port of the calls."""
