"""A client of Pawl's services over gRPC, made from proto/ by protoc alone.

    client = Client("127.0.0.1:7070", token=TOKEN, ca=ca_pem, cert=(pem, key))
    client.call("Executions", "Submit", workflow="wordcount").execution
    for update in client.stream("Executions", "Watch", execution="e1"): ...
"""

import glob
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
from google.protobuf import symbol_database

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 90
SERVICES = ("Executions", "Workflows", "Queues", "Cluster")


def load():
    """The generated modules, as the names in them."""
    with tempfile.TemporaryDirectory(prefix="pawl-proto-") as place:
        files = sorted(glob.glob(str(REPOSITORY / "proto/pawl/v1/*.proto")))
        subprocess.run(["protoc", "-I", REPOSITORY / "proto", "--python_out", place, *files], check=True)
        sys.path.insert(0, place)
        names = {}
        for file in files:
            module = __import__(f"pawl.v1.{Path(file).stem}_pb2", fromlist=["*"])
            names.update(vars(module))
        sys.path.remove(place)
    return names


V1 = load()


def methods():
    """(service, method) of every service for clients."""
    pool = symbol_database.Default().pool
    for service in SERVICES:
        for method in pool.FindServiceByName(f"pawl.v1.{service}").methods:
            yield service, method


class Client:
    def __init__(self, address, token=None, ca=None, cert=None, options=()):
        options = [("grpc.use_local_subchannel_pool", 1), *options]  # no connection of another test
        self.address = address
        self.fields = (("authorization", f"Bearer {token}"),) if token else ()
        if ca is None:
            self.channel = grpc.insecure_channel(address, options)
        else:
            chain, key = cert if cert else (None, None)
            shown = grpc.ssl_channel_credentials(ca, key, chain)
            self.channel = grpc.secure_channel(address, shown, options)

    def request(self, service, name, fields):
        pool = symbol_database.Default().pool
        method = pool.FindServiceByName(f"pawl.v1.{service}").methods_by_name[name]
        return V1[method.input_type.name](**fields), V1[method.output_type.name].FromString

    def begin(self, service, name, fields):
        message, read = self.request(service, name, fields)
        ask = self.channel.unary_unary(f"/pawl.v1.{service}/{name}",
                                       type(message).SerializeToString, read)
        return ask, message

    def call(self, service, name, /, patience=PATIENCE, **fields):
        ask, message = self.begin(service, name, fields)
        return ask(message, timeout=patience, metadata=self.fields)

    def stream(self, service, name, /, patience=PATIENCE, **fields):
        message, read = self.request(service, name, fields)
        ask = self.channel.unary_stream(f"/pawl.v1.{service}/{name}",
                                        type(message).SerializeToString, read)
        return ask(message, timeout=patience, metadata=self.fields)

    def raw(self, path, message):
        """The bytes that are answered to bytes, of services that are not ours."""
        ask = self.channel.unary_unary(path, lambda given: given, lambda told: told)
        return ask(message, timeout=PATIENCE)

    def health(self, service=""):
        asked = b"\x0a" + bytes([len(service)]) + service.encode()
        told = self.raw("/grpc.health.v1.Health/Check", asked)
        return {b"": "UNKNOWN", b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}[told]

    def services(self):
        """What reflection lists, as bytes in which the names stand."""
        ask = self.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            lambda given: given, lambda told: told)
        return next(ask(iter([b"\x3a\x01*"]), timeout=PATIENCE))

    def close(self):
        self.channel.close()
