"""The commands of this package.

python -m hospital.embedded demo               everything, until Ctrl-C (`make demo`)
python -m hospital.embedded run -- COMMAND     a command beside the servers (of the demo, if it runs)
"""

import argparse
import os
import subprocess
import sys

from hospital.embedded import demo, folders, keys, servers
from hospital.embedded.errors import CannotStart


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m hospital.embedded", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="start the demo hospital and stay until Ctrl-C")
    run = commands.add_parser(
        "run", help="run a command beside the servers, for example: run -- python manage.py shell"
    )
    run.add_argument("--cluster", default="demo", help="whose data: demo (default), test, bench …")
    run.add_argument("rest", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    asked = parser.parse_args()
    try:
        if asked.command == "demo":
            return demo.main()
        return run_beside_servers([word for word in asked.rest if word != "--"], cluster=asked.cluster)
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run_beside_servers(command: list[str], *, cluster: str) -> int:
    """Run a command with the URLs and keys in its environment; its exit code is ours."""
    ours = dict(os.environ)
    ours.pop("DJANGO_SETTINGS_MODULE", None)  # set by importing the project; pytest has settings of its own
    note = folders.note_of_holder(folders.home() / f"{cluster}.lock")
    if note and "urls" in note:
        environment = ours | keys.of(folders.home()) | note["urls"]
        return subprocess.run(command, env=environment, check=False).returncode
    with servers.running(name=cluster, for_tests=cluster == "test") as started:
        return subprocess.run(command, env=ours | started.environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
