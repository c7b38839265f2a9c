"""Looking back on streams: what the command line and the HTTP API answer alike."""
