"""Runs a command with a Ceph of its own: AWS_* lead to it, HSC_STORE names an empty bucket.

python tests/servers/with_ceph.py [--memstore] COMMAND [ARGUMENT...]
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from servers.ceph import Ceph, missing_programs

BUCKET = "hsc"


def main(words: list[str]) -> int:
    """Run the command, and give its exit code."""
    backend = "memstore" if words[:1] == ["--memstore"] else "bluestore"
    command = words[backend == "memstore" :]
    missing = missing_programs()
    if missing or not command:
        sys.stderr.write(f"not installed: {', '.join(missing)}\n" if missing else __doc__ or "")
        return 2
    with Ceph(backend) as ceph:
        client = ceph.client()
        client.create_bucket(Bucket=BUCKET)
        client.close()
        environment = {**os.environ, **ceph.environment(), "HSC_STORE": f"s3://{BUCKET}"}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
