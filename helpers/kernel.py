"""Kernels for Papermill: forked from the preloaded process where that exists, ordinary elsewhere.

Jupyter's kernel provisioner decides how a kernel's process comes to be; everything else, from the
messages to the execution of cells, is Jupyter's and Papermill's own.
"""

import asyncio
import itertools
import os
import sys
import time
from pathlib import Path
from queue import Empty

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.utils import ensure_event_loop, run_sync
from traitlets import Any, Type

PROVISIONER = "preclinical-fork"  # as pyproject.toml registers it
LONGEST_SOCKET_PATH = 90  # Unix allows 107 characters; Jupyter appends a number

_numbers = itertools.count(1)


class ForkProvisioner(LocalProvisioner):
    """Provide a kernel by forking the nursery of its manager."""

    async def launch_kernel(self, cmd, **kwargs):
        """Fork instead of starting ``cmd``; the forked kernel gets its arguments."""
        argv = cmd[cmd.index("ipykernel_launcher") + 1 :]
        self.cwd = str(kwargs.get("cwd") or Path.cwd())
        self.process = self.parent.nursery.fork(argv, cwd=self.cwd, env=kwargs["env"])
        self.pid = self.pgid = self.process.pid
        return self.connection_info

    async def kill(self, restart=False):
        """Kill the kernel and see it end, which takes milliseconds."""
        if self.process:
            self.process.kill()
            while self.process.poll() is None:
                await asyncio.sleep(0.001)


class Client(AsyncKernelClient):
    """A client that finds its kernel ready as soon as it is."""

    async def wait_for_ready(self, timeout=None):
        """Wait until the kernel has answered and its output channel is connected and empty.

        Jupyter's own client waits until that channel was silent for 0.2 seconds. Here the kernel's
        word that it is idle again, always its last about a request, ends the wait.
        """
        deadline = time.monotonic() + (timeout or float("inf"))
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            try:
                reply = await self._message(self.shell_channel, asked, 1.0)
                while True:
                    message = await self._message(self.iopub_channel, asked, 0.2)
                    if message["content"].get("execution_state") == "idle":
                        return self._handle_kernel_info_reply(reply)
            except Empty:  # not up yet, or its first words were said before we could hear them
                if not await self.parent.is_alive():
                    raise RuntimeError("the kernel ended before it was ready") from None
        raise RuntimeError(f"the kernel was not ready after {timeout} seconds")

    async def _message(self, channel, asked, timeout):
        while True:
            message = await channel.get_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") == asked:
                return message


class Manager(AsyncKernelManager):
    """A kernel of this very Python, without history, user configuration or network ports.

    Parameters
    ----------
    folder : path
        A short-lived folder for the sockets and the connection file.
    environment : dict of str
        Environment variables of the kernel.
    nursery : helpers.nursery.Nursery, optional
        The process to fork from; without it, a new interpreter is started.
    """

    client_factory = Type(Client, klass=AsyncKernelClient)
    nursery = Any(None, allow_none=True)

    def __init__(self, *, folder, environment, nursery=None):
        super().__init__(nursery=nursery, kernel_name="python3")
        self._environment, self._client = environment, None
        self.context.reconnect_ivl = 5  # ms: the kernel's sockets exist moments after its birth
        stem = str(Path(folder) / f"k{next(_numbers)}")
        self.connection_file = f"{stem}.json"
        if os.name == "posix" and len(stem) < LONGEST_SOCKET_PATH:
            self.transport, self.ip = "ipc", stem  # no ports, so no clashes over ports

    @property
    def kernel_spec(self):
        """The kernel, independent of what is installed in Jupyter's folders."""
        options = ["-f", "{connection_file}", "--HistoryManager.enabled=False"]
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", *options],
            display_name="Python 3",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": PROVISIONER}}
            if self.nursery
            else {},
        )

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
