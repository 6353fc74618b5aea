"""`python -m interlingua`: the command line."""

from interlingua.cli import main

main()
