"""A real Ceph on loopback: one monitor, one OSD and the gateway that speaks S3.

No systemd, nothing in /etc, no root. Everything lies in one folder; its programs are children of
this process and end with it. Ceph 16 needs no manager daemon for this.
"""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from servers.children import Child, free_port

Backend = Literal["bluestore", "memstore"]

PROGRAMS = (
    "ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin",
    "setpriv",
)  # fmt: skip
PACKAGES = "ceph-mon ceph-osd radosgw ceph-common"
REGION = "us-east-1"

# cephx also on loopback: without it the gateway never comes up. Pools keep one copy of everything.
_CONFIGURATION = """\
[global]
fsid = {fsid}
mon initial members = a
mon host = [v2:127.0.0.1:{monitor_port}]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
ms bind msgr1 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
mon max pg per osd = 2000
osd crush chooseleaf type = 0
run dir = {folder}/run
pid file = {folder}/run/$type.$id.pid
admin socket = {folder}/run/$type.$id.asok
log file = {folder}/log/$type.$id.log
crash dir = {folder}/run
keyring = {folder}/keyring
mon data avail crit = 1
mon data avail warn = 2
[mon.a]
mon data = {folder}/mon
[osd]
osd data = {folder}/osd
osd objectstore = {backend}
memstore device bytes = 8589934592
bluestore block size = 21474836480
bluestore fsck on mount = false
osd memory target = 939524096
# A gateway that was killed is waited for so long by what another one changes.
osd client watch timeout = 4
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw dns name = localhost
rgw enable usage log = false
rgw sts key = {sts_key}
rgw s3 auth use sts = true
rgw thread pool size = 64
rgw gc obj min wait = 5
rgw gc processor period = 5
"""

_KEYS = {
    "client.admin": ("mon", "allow *", "osd", "allow *"),
    "mon.": ("mon", "allow *"),
    "client.rgw": ("mon", "allow rwx", "osd", "allow rwx"),
    "osd.0": ("mon", "allow profile osd", "osd", "allow *"),
}


@dataclass(frozen=True)
class Account:
    """Whom the gateway knows."""

    name: str
    access_key: str
    secret_key: str


def missing_programs() -> list[str]:
    """Give the programs that are not installed here."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Ceph:
    """Ceph in a folder of its own; use it in a ``with`` block.

    Parameters
    ----------
    backend
        Where the OSD keeps objects: ``bluestore`` in a file, ``memstore`` in its memory, where
        nothing outlives a kill.
    """

    def __init__(self, backend: Backend = "bluestore") -> None:
        # Short: the path of a Unix socket may have 107 letters.
        self._folder = Path(tempfile.mkdtemp(prefix="hsc-ceph-"))
        self.backend = backend
        self.port = free_port()
        self._monitor_port = free_port()
        self._running: list[Child] = []
        self._accounts: dict[str, Account] = {}

    @property
    def endpoint(self) -> str:
        """URL of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        try:
            self._make()
            self.start_osd()
            self.start_gateway()
            self.owner = self.account("hsc")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for child in reversed(self._running):
            child.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start_osd(self) -> None:
        """Start the program that keeps the objects."""
        self.osd = self._start("osd", "ceph-osd", "-i", "0")

    def start_gateway(self) -> None:
        """Start the program that speaks S3, and wait for its answer."""
        self.gateway = self._start("rgw", "radosgw", "-n", "client.rgw")
        self.gateway.wait_until(self.answers, 60)

    def answers(self) -> bool:
        """Tell whether the gateway answers."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            asking.request("GET", "/")
            asking.getresponse().read()
        except OSError:
            return False
        finally:
            asking.close()
        return True

    def account(self, name: str) -> Account:
        """Give an account, made on first use with keys that the server draws."""
        if name not in self._accounts:
            words = ("user", "create", f"--uid={name}", f"--display-name={name}")
            (keys,) = json.loads(self._run("radosgw-admin", *words))["keys"]
            self._accounts[name] = Account(name, keys["access_key"], keys["secret_key"])
        return self._accounts[name]

    def draw_key(self, name: str) -> Account:
        """Give an account one more key."""
        before = {key["access_key"] for key in self._keys_of(name)}
        words = ("key", "create", f"--uid={name}", "--key-type=s3", "--gen-access-key")
        self._run("radosgw-admin", *words, "--gen-secret")
        (new,) = [key for key in self._keys_of(name) if key["access_key"] not in before]
        return Account(name, new["access_key"], new["secret_key"])

    def drop_key(self, key: Account) -> None:
        """Take a key of an account back."""
        words = ("key", "rm", f"--uid={key.name}", "--key-type=s3")
        self._run("radosgw-admin", *words, f"--access-key={key.access_key}")

    def reading_role(self, name: str) -> str:
        """Make a role that reads every bucket and that the owner may take on; give its ARN."""
        trusted = _allowed("sts:AssumeRole", Principal={"AWS": ["arn:aws:iam:::user/hsc"]})
        reads = _allowed("s3:GetObject", "s3:ListBucket", Resource=["arn:aws:s3:::*"])
        made = ("role", "create", f"--role-name={name}", "--path=/")
        self._run("radosgw-admin", *made, f"--assume-role-policy-doc={trusted}")
        told = ("role-policy", "put", f"--role-name={name}", "--policy-name=read")
        self._run("radosgw-admin", *told, f"--policy-doc={reads}")
        return f"arn:aws:iam:::role/{name}"

    def _keys_of(self, name: str) -> list[dict[str, str]]:
        known = json.loads(self._run("radosgw-admin", "user", "info", f"--uid={name}"))
        return [dict(key) for key in known["keys"]]

    def environment(
        self, account: Account | None = None, port: int | None = None
    ) -> dict[str, str]:
        """Give the variables that lead a client here, straight or through a proxy's port."""
        known = account or self.owner
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": known.access_key,
            "AWS_SECRET_ACCESS_KEY": known.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, account: Account | None = None) -> Any:
        """Give a botocore client: what tests ask and change the server with."""
        import botocore.session
        from botocore.config import Config

        known = account or self.owner
        return botocore.session.Session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=known.access_key,
            aws_secret_access_key=known.secret_key,
            config=Config(
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _make(self) -> None:
        for name in ("mon", "osd", "run", "log"):
            (self._folder / name).mkdir()
        fsid = str(uuid.uuid4())
        text = _CONFIGURATION.format(
            fsid=fsid,
            folder=self._folder,
            backend=self.backend,
            monitor_port=self._monitor_port,
            port=self.port,
            sts_key=secrets.token_hex(8),
        )
        (self._folder / "ceph.conf").write_text(text, encoding="utf-8")
        keyring, monmap = str(self._folder / "keyring"), str(self._folder / "monmap")
        for number, (name, caps) in enumerate(_KEYS.items()):
            made = ("--create-keyring",) if number == 0 else ()
            pairs = zip(caps[::2], caps[1::2], strict=True)
            given = [word for kind, what in pairs for word in ("--cap", kind, what)]
            self._run("ceph-authtool", *made, keyring, "--gen-key", "-n", name, *given)
        address = f"[v2:127.0.0.1:{self._monitor_port}]"
        self._run("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monmap)
        self._run("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._start("mon", "ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        self._run("ceph", "--connect-timeout", "30", "osd", "new", osd, "0")
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)

    def _start(self, log: str, program: str, *words: str) -> Child:
        told = [program, "-f", "-c", self._conf, *words]
        child = Child(told, self._folder / "log" / f"{log}.out")
        self._running.append(child)
        return child

    def _run(self, program: str, *words: str) -> str:
        where = () if program in ("ceph-authtool", "monmaptool") else ("-c", self._conf)
        done = subprocess.run(
            [program, *where, *words],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            cwd=self._folder,
        )
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(words)}: {done.stderr[-3000:]}")
        return done.stdout

    @property
    def _conf(self) -> str:
        return str(self._folder / "ceph.conf")


def _allowed(*actions: str, **facts: object) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), **facts}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
