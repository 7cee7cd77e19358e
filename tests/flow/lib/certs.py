"""certs.py -- throw-away certificates, made by the openssl command."""
import os
import ssl
import subprocess


def make(folder, name, *more_names):
    """(certificate file, key file) of a self-signed certificate for those DNS names or addresses."""
    cert, key = os.path.join(folder, f"{name}.crt"), os.path.join(folder, f"{name}.key")
    kind = {True: "IP", False: "DNS"}
    names = ",".join(f"{kind[n.replace('.', '').isdigit()]}:{n}" for n in (name, *more_names))
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            f"subjectAltName={names}",
            "-keyout",
            key,
            "-out",
            cert,
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def server_context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def names_of(der):
    """The DNS names in a certificate that a client was shown."""
    pem = ssl.DER_cert_to_PEM_cert(der)
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-ext", "subjectAltName"],
        input=pem,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(
        part.strip()[4:] for part in shown.replace("\n", ",").split(",") if "DNS:" in part
    )
