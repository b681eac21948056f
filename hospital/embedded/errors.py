"""What can keep the servers or the demo from starting; each message names the way out."""


class CannotStart(Exception):
    """Shown to the person at the terminal as it stands, without a traceback."""


class AlreadyRunning(CannotStart):
    """Another process holds the data folder. `note` is what it wrote down about itself."""

    def __init__(self, note: dict):
        self.note = note
        super().__init__(f"already running: {note.get('address', 'starting')} (process {note.get('pid', 'unknown')})")
