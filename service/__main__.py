"""Lets `python -m service` be the command line, which is how the supervisor starts its children."""

from service.cli.main import main

main()
