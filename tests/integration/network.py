"""A link that can be cut: two network namespaces with a pair of virtual devices between them.

The namespaces belong to two processes that end when this one does, and are gone with them. Inside a user
namespace, so that root is needed only where the system forbids those to others.
"""
import shutil
import subprocess

import servers


class Link:
    NEAR, FAR = "10.77.0.1", "10.77.0.2"

    def __init__(self):
        absent = [name for name in ("unshare", "nsenter", "ip", "tc") if not shutil.which(name)]
        if absent:
            raise servers.Missing(f"a link needs {', '.join(absent)} (Debian: util-linux iproute2)")
        self.holders = []
        try:
            near = self._hold(["unshare", "--user", "--map-root-user", "--net"])
            self.near = self._entering(near)
            far = self._hold([*self.near, "unshare", "--net"])
            self.far = self._entering(far)
            self._run(self.near, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(far))
            for side, name, address in ((self.near, "near", self.NEAR), (self.far, "far", self.FAR)):
                self._run(side, "ip", "address", "add", f"{address}/24", "dev", name)
                self._run(side, "ip", "link", "set", name, "up")
                self._run(side, "ip", "link", "set", "lo", "up")
        except (servers.DidNotStart, subprocess.SubprocessError) as problem:
            self.close()
            raise servers.Missing(f"no network namespace may be made here: {problem}") from None

    def _hold(self, command):
        """A process that keeps its namespaces until its stdin ends."""
        holder = subprocess.Popen([*command, "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.holders.append(holder)
        if holder.stdout.readline() != "ready\n":
            raise servers.DidNotStart(holder.stderr.read().strip())
        return holder.pid

    @staticmethod
    def _entering(pid):
        return ["nsenter", "--target", str(pid), "--user", "--net", "--preserve-credentials", "--"]

    @staticmethod
    def _run(side, *command):
        done = subprocess.run([*side, *command], capture_output=True, text=True, timeout=10)
        if done.returncode:
            raise servers.DidNotStart(f"{' '.join(command)}: {done.stderr.strip()}")

    def narrow(self, device, *discipline):
        """What the device ("near" or "far") sends goes through that queueing discipline."""
        self._run(getattr(self, device), "tc", "qdisc", "replace", "dev", device, "root", *discipline)

    def control_congestion(self, algorithm):
        """TCP over the link is controlled by that algorithm; servers.Missing where the system has it not."""
        try:
            for device, address in (("near", self.NEAR), ("far", self.FAR)):
                network = address.rsplit(".", 1)[0] + ".0/24"
                self._run(getattr(self, device), "ip", "route", "change", network, "dev", device, "src", address,
                          "congctl", algorithm)
        except servers.DidNotStart as problem:
            raise servers.Missing(f"no {algorithm} here: {problem}") from None

    def unplug(self):
        """The far end loses its carrier, and so does the near one: the system knows."""
        self._run(self.far, "ip", "link", "set", "far", "down")

    def plug(self):
        self._run(self.far, "ip", "link", "set", "far", "up")

    def drop(self):
        """Nothing passes in either direction, and nobody is told."""
        for side, name in ((self.near, "near"), (self.far, "far")):
            self._run(side, "tc", "qdisc", "replace", "dev", name, "root", "blackhole")

    def pass_again(self):
        for side, name in ((self.near, "near"), (self.far, "far")):
            self._run(side, "tc", "qdisc", "del", "dev", name, "root")

    def close(self):
        for holder in reversed(self.holders):
            holder.stdin.close()
            holder.wait(10)
            holder.stdout.close()
            holder.stderr.close()
