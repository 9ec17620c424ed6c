"""S3 servers of others for the tests, each on a free loopback port and empty at its start.

Every process is a child of this one. It ends when its fixture does, and the kernel ends it when this
process dies in any other way. Only children that were not yet waited for are signalled, so a pid can
never have passed to somebody else.
"""
import ctypes
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import uuid

import boto3
from botocore.config import Config

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
REGION = "us-east-1"
# The real one where the environment names it; read before the tests' own settings take its place.
S3POOL = os.path.abspath(os.environ.get("S3POOL_BINARY") or pathlib.Path(__file__).with_name("s3pool_stand_in.py"))

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class Missing(Exception):
    """A program that a server needs is not on this machine; the text says which and where to get it."""


class DidNotStart(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, ready, seconds, process=None):
    """Polls until ready() gives something true and returns that; DidNotStart past the time."""
    deadline = time.monotonic() + seconds
    while True:
        found = ready()
        if found:
            return found
        if process and process.poll() is not None:
            raise DidNotStart(f"{what}: ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise DidNotStart(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def start(command, log, environment=None, **options):
    """Starts a process in a session of its own (a Ctrl-C is the tests' affair) that dies with this one."""
    parent = os.getpid()

    def die_with_parent():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    with open(log, "ab") as output:
        options = {"stdout": output, "stderr": output, **options}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, start_new_session=True,
                                preexec_fn=die_with_parent, **options)


def end(process, graceful_seconds=5):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM if graceful_seconds else signal.SIGKILL)
        try:
            process.wait(graceful_seconds or 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
    return process.returncode


@dataclasses.dataclass
class Storage:
    """An endpoint and how to use it."""
    endpoint: str
    access_key: str
    secret_key: str
    bucket: str = "loadtest"
    ca_bundle: str | None = None
    boto3_options: dict = dataclasses.field(default_factory=dict)  # that this server needs
    endpoints: list = dataclasses.field(default_factory=list)  # all of an embedded server; the first is `endpoint`
    process: subprocess.Popen | None = None

    def settings(self):
        return {"S3_ENDPOINTS": self.endpoint, "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key, "S3_BUCKET": self.bucket}

    def with_new_bucket(self):
        return dataclasses.replace(self, bucket=f"test-{uuid.uuid4().hex[:12]}")

    def boto3(self, **config):
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key, verify=self.ca_bundle or True,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, connect_timeout=5,
                          read_timeout=20, retries={"max_attempts": 2}, proxies={},
                          **{**self.boto3_options, **config}))

    def keys(self, prefix=""):
        """Key to size of every object there, as boto3 lists them."""
        pages = self.boto3().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {object["Key"]: object["Size"] for page in pages for object in page.get("Contents", [])}


def listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(storage):
    if not listening(int(storage.endpoint.rsplit(":", 1)[1])):
        return False
    try:
        storage.boto3().list_buckets()
        return True
    except Exception:  # whatever it is, it is asked again until the time is up
        return False


# ---- VersityGW: Versity's gateway over a directory ----------------------------------------------------

def _find_versitygw():
    folder = REPOSITORY / "build/tools" / VERSITYGW.rsplit("/", 1)[1].replace("@", "-")
    program = folder / "versitygw"
    if not program.exists():
        if not shutil.which("go"):
            raise Missing("VersityGW is built by Go, which is not installed (Debian: golang)")
        folder.mkdir(parents=True, exist_ok=True)
        built = subprocess.run(["go", "install", VERSITYGW], env={**os.environ, "GOBIN": str(folder)},
                               capture_output=True, text=True, timeout=900)
        if built.returncode:
            raise DidNotStart(f"go install {VERSITYGW}: {built.stderr[-2000:]}")
    return program


def versitygw(folder):
    """Yields a Storage."""
    program, port = _find_versitygw(), free_port()
    (folder / "data").mkdir()
    storage = Storage(f"http://127.0.0.1:{port}", "versitykey", "versitysecret12345")
    # Without --keep-alive it closes every connection after one answer.
    storage.process = start(
        [program, "--port", f"127.0.0.1:{port}", "--keep-alive", "--quiet", "posix", folder / "data"],
        folder / "log",
        {**os.environ, "ROOT_ACCESS_KEY": storage.access_key, "ROOT_SECRET_KEY": storage.secret_key,
         "VGW_REGION": REGION})
    try:
        wait_for("VersityGW", lambda: _answers(storage), 60, storage.process)
        yield storage
    finally:
        end(storage.process)


# ---- Ceph: a monitor, an OSD that keeps objects in memory, and the S3 gateway -------------------------

CEPH_CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_port}/0]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr1 = false
ms bind port min = {osd_port}
ms bind port max = {osd_port_max}
ms mon client mode = crc secure
auth cluster required = none
auth service required = none
auth client required = none
paxos propose interval = 0.1
run dir = {folder}/run
admin socket =
crash dir = {folder}/crash
log file = {folder}/$name.log
mon cluster log file = {folder}/cluster.log
mon data = {folder}/mon
mon data avail crit = 0
mon allow pool size one = true
mon max pg per osd = 2000
osd data = {folder}/osd
osd objectstore = memstore
memstore device bytes = {capacity}
osd class update on start = false
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off

[client.rgw.a]
rgw data = {folder}/rgw
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 64
rgw rados pool pg num min = 4
rgw enable apis = s3
rgw override bucket index max shards = 1
debug rgw = 0/0
"""


class _Ceph:
    def __init__(self, folder, capacity):
        for part in ("run", "crash", "mon", "osd", "rgw"):
            (folder / part).mkdir()
        self.folder, self.conf, self.daemons = folder, folder / "ceph.conf", []
        self.fsid, self.mon_port, self.port = str(uuid.uuid4()), free_port(), free_port()
        osd_port = min(free_port(), 65000)  # the OSD takes the first free ones from there
        self.conf.write_text(CEPH_CONF.format(folder=folder, fsid=self.fsid, port=self.port, osd_port=osd_port,
                                              mon_port=self.mon_port, osd_port_max=osd_port + 200,
                                              capacity=capacity))

    def tool(self, program, *arguments, seconds=60, conf=True):
        command = [program, *(["-c", self.conf] if conf else []), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        if done.returncode:
            raise DidNotStart(f"{program} {arguments[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def daemon(self, program, *arguments):
        process = start([program, "-c", self.conf, "-f", *arguments], self.folder / f"{program}.out")
        self.daemons.append(process)
        return process

    def start_monitor(self):
        monmap = self.folder / "monmap"
        self.tool("monmaptool", "--create", "--fsid", self.fsid, "--addv", "a",
                  f"[v2:127.0.0.1:{self.mon_port}]", monmap, conf=False)
        self.tool("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap)
        monitor = self.daemon("ceph-mon", "-i", "a")
        wait_for("ceph-mon", lambda: listening(self.mon_port), 30, monitor)

    def start_osd(self):
        osd_uuid = str(uuid.uuid4())
        self.tool("ceph", "--connect-timeout", "20", "osd", "new", osd_uuid)
        self.tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd_uuid)
        osd = self.daemon("ceph-osd", "-i", "0")
        wait_for("ceph-osd", lambda: " 1 up" in self.tool("ceph", "--connect-timeout", "20", "osd", "stat"),
                 60, osd)

    def start_gateway(self, storage):
        self.tool("radosgw-admin", "-n", "client.rgw.a", "user", "create", "--uid=test",
                  "--display-name=test", f"--access-key={storage.access_key}",
                  f"--secret-key={storage.secret_key}", seconds=120)
        gateway = self.daemon("radosgw", "-n", "client.rgw.a")
        wait_for("radosgw", lambda: _answers(storage), 90, gateway)

    def end(self):
        # Killed: at a graceful end the OSD would write its memory to disk.
        for process in reversed(self.daemons):
            end(process, graceful_seconds=0)


def rgw(folder, capacity=4 << 30):
    """Yields a Storage. A full store does not refuse but wait: keep the tests' objects small."""
    absent = [name for name in ("ceph-mon", "ceph-osd", "radosgw", "ceph") if not shutil.which(name)]
    if absent:
        raise Missing(f"Ceph's {', '.join(absent)} not found (Debian: radosgw ceph-mon ceph-osd)")
    ceph = _Ceph(folder, capacity)
    # It answers bodies with a trailing checksum (STREAMING-UNSIGNED-PAYLOAD-TRAILER) with 400.
    storage = Storage(f"http://127.0.0.1:{ceph.port}", "rgwkey", "rgwsecret12345",
                      boto3_options={"request_checksum_calculation": "when_required"})
    try:
        ceph.start_monitor()
        ceph.start_osd()
        ceph.start_gateway(storage)
        yield storage
    finally:
        ceph.end()


def deny(storage, *actions):
    """To everybody, its owner among them, in this bucket and of all its objects."""
    resources = [f"arn:aws:s3:::{storage.bucket}", f"arn:aws:s3:::{storage.bucket}/*"]
    statement = {"Effect": "Deny", "Principal": "*", "Action": list(actions), "Resource": resources}
    storage.boto3().put_bucket_policy(Bucket=storage.bucket, Policy=json.dumps({"Version": "2012-10-17",
                                                                               "Statement": [statement]}))
