"""IPython that runs the cells of one notebook, as a Jupyter kernel would, and keeps what they show.

Without Jupyter's five sockets and four threads a cell costs 1 ms instead of 7.
"""

import base64
import io
import json
import sys

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


class _Hook(DisplayHook):
    """Keep the value of a cell's last expression."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        self.shell.show(
            "execute_result",
            data=format_dict,
            metadata=md_dict or {},
            execution_count=self.prompt_count,
        )

    def finish_displayhook(self):
        self._is_active = False


class _Publisher(DisplayPublisher):
    """Keep what a cell displays."""

    def publish(self, data, metadata=None, **_):
        self.shell.show("display_data", data=data, metadata=metadata or {})

    def clear_output(self, wait=False):
        self.shell.outputs.clear()


class _Stream(io.TextIOBase):
    """Keep what a cell prints."""

    def __init__(self, shell, name):
        self._shell, self._name = shell, name

    def writable(self):
        return True

    def write(self, text):
        last = self._shell.outputs[-1] if self._shell.outputs else {}
        if last.get("name") == self._name:
            last["text"] += text
        elif text:
            self._shell.show("stream", name=self._name, text=text)
        return len(text)


class Shell(InteractiveShell):
    """IPython whose outputs are those of the notebook format."""

    displayhook_class = _Hook
    display_pub_class = _Publisher

    def __init__(self, **kwargs):
        self.outputs = []
        super().__init__(**kwargs)

    def show(self, output_type, **content):
        """Keep one output."""
        self.outputs.append({"output_type": output_type, **content})

    def _showtraceback(self, etype, evalue, stb):
        self.show("error", ename=etype.__name__, evalue=str(evalue), traceback=stb)

    def take_streams(self):
        """Let what cells print become outputs, and give them nothing to read."""
        sys.stdin = io.StringIO()
        sys.stdout, sys.stderr = _Stream(self, "stdout"), _Stream(self, "stderr")

    def run(self, source):
        """Run a cell; returns its execution count and its outputs, which are plain data."""
        self.outputs.clear()
        self.run_cell(source, store_history=True)
        try:
            outputs = json.loads(json.dumps(self.outputs, default=_encode))
        except (TypeError, ValueError, RecursionError) as error:
            what = f"what this cell shows is no JSON: {error}"
            shown = {"ename": type(error).__name__, "evalue": what, "traceback": [what]}
            outputs = [{"output_type": "error", **shown}]
        return self.execution_count - 1, outputs


def make_shell():
    """Make the shell of this process."""
    return Shell.instance(config=Config({"HistoryManager": {"enabled": False}}))


def _encode(value):
    """Pictures are bytes, which the notebook format writes in base 64; all else becomes text."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
