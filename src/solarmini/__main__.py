"""`python -m solarmini` is the command `solar`."""

from solarmini.cli import main

main()
