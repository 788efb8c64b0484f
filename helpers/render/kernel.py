"""Where Papermill runs cells: in workers forked from the nursery, or in ordinary kernels.

Both keep Papermill's own way: a worker through an engine of ours, a kernel through Papermill's
engine and Jupyter.
"""

import itertools
import os
import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync
from papermill.engines import Engine, papermill_engines

ENGINE = "preclinical-fork"
LONGEST_SOCKET_PATH = 90  # Unix allows 107 characters; Jupyter appends a number

_numbers = itertools.count(1)


class ForkEngine(Engine):
    """A Papermill engine that sends the cells to a worker."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man, kernel_name, *, worker, on_cell_start, execution_timeout, **_
    ):
        """Run the code cells one after the other, until one fails.

        What they show is left in `worker.shown`, by the number of the cell: Papermill would
        encode all of it once more, in order to write it nowhere.

        Parameters
        ----------
        nb_man : papermill.engines.NotebookExecutionManager
        kernel_name : str
            Not looked at.
        worker : helpers.render.nursery.Worker
        on_cell_start : callable
            Called with ``cell`` and ``cell_index``, as nbclient does.
        execution_timeout : float
            Seconds that a cell may take.
        """
        for index, cell in enumerate(nb_man.nb.cells):
            if cell.cell_type != "code":
                continue
            nb_man.cell_start(cell, cell_index=index)
            on_cell_start(cell=cell, cell_index=index)
            cell.execution_count, outputs = worker.run(cell.source, execution_timeout)
            if errors := [output for output in outputs if output["output_type"] == "error"]:
                cell.outputs = [nbformat.from_dict(error) for error in errors]
                nb_man.cell_exception(cell, cell_index=index)
                break
            worker.shown[index] = outputs
            nb_man.cell_complete(cell, cell_index=index)


papermill_engines.register(ENGINE, ForkEngine)


class Manager(AsyncKernelManager):
    """An ordinary kernel of this very Python, without history and, where possible, without ports.

    Parameters
    ----------
    folder : path
        A short-lived folder for the sockets and the connection file.
    environment : dict of str
        Environment variables of the kernel.
    """

    def __init__(self, *, folder, environment):
        super().__init__(kernel_name="python3")
        self._environment, self._client = environment, None
        stem = str(Path(folder) / f"k{next(_numbers)}")
        self.connection_file = f"{stem}.json"
        if os.name == "posix" and len(stem) < LONGEST_SOCKET_PATH:
            self.transport, self.ip = "ipc", stem  # no ports, so no clashes over ports

    @property
    def kernel_spec(self):
        """The Python that runs here, whatever kernels are installed in Jupyter's folders."""
        options = ["-f", "{connection_file}", "--HistoryManager.enabled=False"]
        argv = [sys.executable, "-m", "ipykernel_launcher", *options]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")

    async def _async_pre_start_kernel(self, **kwargs):
        return await super()._async_pre_start_kernel(**{"env": self._environment, **kwargs})

    def client(self, **kwargs):
        """Make the one client of this kernel."""
        self._client = super().client(**kwargs)
        return self._client

    def kill(self):
        """Kill the kernel's process, from any thread."""
        process = self.provisioner and self.provisioner.process
        if process:
            process.kill()

    def stop(self):
        """Kill the kernel: at the end of a notebook nothing in it is worth keeping."""
        if self._client:
            self._client.stop_channels()
        if self.has_kernel:
            run_sync(self.shutdown_kernel)(now=True)
        ensure_event_loop().close()  # this thread's own, made by `run_sync`
