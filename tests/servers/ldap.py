"""A real LDAP directory (OpenLDAP's slapd) on loopback: people, groups, with and without TLS."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from servers.children import Child, free_port

PACKAGES = "slapd"
BASE = "dc=hsc,dc=test"
_ACCOUNT = "nobody"  # owns nothing
_SCHEMAS = ("core", "cosine", "nis", "inetorgperson")
# The empty password is let through as the protocol has it: to notice is our own task.
_CONFIG = """\
{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
allow bind_anon_cred
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
maxsize 16777216
suffix "{base}"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=hsc,{base}" read by * none
"""
_ENTRIES = """\
dn: {base}
objectClass: dcObject
objectClass: organization
dc: hsc
o: hsc

dn: cn=hsc,{base}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: hsc
userPassword: {asker}

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{base}
objectClass: organizationalUnit
ou: groups

{people}
dn: cn=prop-20260123,ou=groups,{base}
objectClass: groupOfNames
cn: prop-20260123
member: uid=anna,ou=people,{base}

dn: cn=staff:maxiv/CoSAXS,ou=groups,{base}
objectClass: groupOfNames
cn: staff:maxiv/CoSAXS
member: uid=anna,ou=people,{base}

dn: cn=cosaxs,ou=groups,{base}
objectClass: posixGroup
cn: cosaxs
gidNumber: 1000
memberUid: anna
memberUid: bertil
"""
_PERSON = """\
dn: uid={uid},ou=people,{base}
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
userPassword: {password}

"""


def missing_programs() -> list[str]:
    """List what is not installed."""
    there = [shutil.which(name, path=_PATH) for name in ("slapd", "slapadd", "setpriv")]
    return [] if all(there) else ["slapd"]


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


class Ldap:
    """slapd with people ``anna`` and ``bertil``; use it in a ``with`` block."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hsc-ldap-"))
        self._user = _ACCOUNT if os.geteuid() == 0 else None
        self.port, self.tls_port = free_port(), free_port()
        self.asker = f"cn=hsc,{BASE}"
        self.asker_password = secrets.token_urlsafe(16)
        self.passwords = {name: secrets.token_urlsafe(16) for name in ("anna", "bertil")}
        self.ca_file = self._folder / "ca.pem"

    def __enter__(self) -> Self:
        try:
            self._make()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "server"):
            self.server.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Where it is without TLS, until StartTLS is asked for."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def tls_url(self) -> str:
        """Where it is with TLS; its certificate is for 127.0.0.1 and for no other name."""
        return f"ldaps://127.0.0.1:{self.tls_port}"

    def _start(self) -> None:
        urls = f"ldap://127.0.0.1:{self.port} ldaps://127.0.0.1:{self.tls_port}"
        words = [_program("slapd"), "-f", str(self._config), "-h", urls, "-d", "0"]
        self.server = Child(words, self._folder / "slapd.out", self._user)
        self.server.wait_until(self._answers, 20)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
        except OSError:
            return False
        return True

    def _make(self) -> None:
        (self._folder / "data").mkdir()
        _write_certificates(self._folder)
        schemas = "\n".join(f"include /etc/ldap/schema/{name}.schema" for name in _SCHEMAS)
        self._config = self._folder / "slapd.conf"
        self._config.write_text(
            _CONFIG.format(schemas=schemas, folder=self._folder, base=BASE), encoding="ascii"
        )
        people = "".join(
            _PERSON.format(uid=uid, base=BASE, password=password)
            for uid, password in self.passwords.items()
        )
        entries = self._folder / "entries.ldif"
        entries.touch(mode=0o600)
        entries.write_text(
            _ENTRIES.format(base=BASE, people=people, asker=self.asker_password), encoding="ascii"
        )
        if self._user is not None:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, self._user)
        subprocess.run(
            [_program("slapadd"), "-q", "-f", str(self._config), "-l", str(entries)],
            check=True,
            capture_output=True,
            cwd=self._folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
        )
        entries.unlink()


def _program(name: str) -> str:
    return shutil.which(name, path=_PATH) or name


def _write_certificates(folder: Path) -> None:
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hsc tests")])
    now = datetime.now(UTC)

    def certificate(key: ec.EllipticCurvePrivateKey, name: x509.Name) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )

    uses = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    own = certificate(authority, issuer).add_extension(x509.BasicConstraints(True, 0), True)
    own = own.add_extension(uses, True)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slapd")])
    served = certificate(server, subject).add_extension(host, False)
    served = served.add_extension(x509.BasicConstraints(False, None), True)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(own.sign(authority, hashes.SHA256()).public_bytes(pem))
    (folder / "server.pem").write_bytes(served.sign(authority, hashes.SHA256()).public_bytes(pem))
    kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key = folder / "server.key"
    key.touch(mode=0o600)
    key.write_bytes(server.private_bytes(pem, kind, plain))
