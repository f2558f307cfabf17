"""The command line's first step, also ``python -m assistant``: Ctrl-C is one line while it loads, too."""

import sys

INTERRUPTED = 130
ADVICE = "run the same command again to go on"


def main() -> None:
    """Load the command line and run it."""
    try:
        from assistant.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write(f"interrupted; {ADVICE}\n")
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
