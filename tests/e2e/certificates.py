"""Certificates for tests, made by openssl: an authority, and whom it signs."""
import os
import subprocess


def openssl(*words):
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(words)}: {done.stderr}")
    return done.stdout


class Authority:
    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.file = self.path(f"{name}.pem")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-keyout", self.path(f"{name}.key"), "-out", self.file, "-subj", f"/CN={name}",
                "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")

    def path(self, name):
        return os.path.join(self.folder, name)

    def sign(self, name, *names, days=30):
        """Signs what speaks for `names`, as in "DNS:example.com"; expired for days below 0. (chain, key)."""
        key, request, extensions = (self.path(f"{name}.{kind}") for kind in ("key", "csr", "ext"))
        chain = self.path(f"{name}.pem")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                "-out", request, "-subj", f"/CN={name}")
        with open(extensions, "w", encoding="utf-8") as file:
            file.write("basicConstraints = CA:FALSE\nkeyUsage = digitalSignature\nsubjectAltName = " + ",".join(names))
        openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.path(f"{self.name}.key"),
                "-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", chain)
        return chain, key
