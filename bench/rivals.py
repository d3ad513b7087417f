"""How each rival is installed, once, and started. Its program and what it depends on stand in peers/<rival>/, versions
pinned; what is installed goes to rig.CACHE. Missing says why one cannot be run here; PAWL_BENCH_RIVALS=no: nobody
wants them."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from rig import CACHE, HERE, PATIENCE, Process

INSTALL_PATIENCE = 600


class Missing(Exception):
    """This rival cannot be run here."""


def refuse_unwanted():
    if os.environ.get("PAWL_BENCH_RIVALS") == "no":
        raise Missing("PAWL_BENCH_RIVALS=no")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until_open(port):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise Missing(f"nothing listens on port {port}") from None
            time.sleep(0.05)


def installed(rival, wish, make):
    """The folder in which `wish` (a file of peers/<rival>) has been installed by make(folder)."""
    refuse_unwanted()
    folder, source = CACHE / rival, HERE / "peers" / rival
    done = folder / "installed"
    wanted = (source / wish).read_text()
    if not done.exists() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"installing {rival} into {folder}", file=sys.stderr)
        try:
            make(folder)
        except (OSError, subprocess.SubprocessError) as error:
            words = getattr(error, "stderr", "") or ""
            raise Missing(f"it cannot be installed: {error} {words[-500:]}") from None
        done.write_text(wanted)
    for file in source.iterdir():
        shutil.copy(file, folder)
    return folder


def run(*words, **options):
    subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, timeout=INSTALL_PATIENCE,
                   **options)


def with_npm(rival):
    def make(folder):
        shutil.copy(HERE / "peers" / rival / "package.json", folder)
        run("npm", "install", "--no-audit", "--no-fund", cwd=folder)
    return installed(rival, "package.json", make)


def with_pip(rival):
    def make(folder):
        run(sys.executable, "-m", "venv", folder)
        run(folder / "bin/pip", "install", "-q", "-r", HERE / "peers" / rival / "requirements.txt")
    return installed(rival, "requirements.txt", make)


def redis(rig):
    """The port of a Redis that writes what it is told to disk every second: `appendfsync everysec`, its default."""
    if not shutil.which("redis-server"):
        raise Missing("redis-server is not installed (apt-get install redis-server)")
    port = free_port()
    rig.start(Process, ["redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", rig.place, "--save", "",
                        "--appendonly", "yes"])
    until_open(port)
    return port


def restate(rig):
    """The URL of a Restate with one partition and the service of peers/restate."""
    folder = with_npm("restate")
    ingress, admin, node, service = (free_port() for _ in range(4))
    environment = os.environ | {
        "RESTATE_BASE_DIR": str(rig.place / "restate"), "RESTATE_DEFAULT_NUM_PARTITIONS": "1",
        "RESTATE_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1", "RESTATE_LISTEN_MODE": "tcp",
        "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}", "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
        "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}", "RESTATE_ADVERTISED_ADDRESS": f"http://127.0.0.1:{node}"}
    # The package's own launcher is a script that would have to be stopped as well.
    server = next(folder.glob("node_modules/@restatedev/restate-server-*/bin/restate-server"), None)
    if server is None:
        raise Missing("its package has no program for this machine")
    rig.start(Process, [server, "--no-logo"], env=environment)
    rig.start(Process, [folder / "node_modules/.bin/node", folder / "service.mjs", service],
              env=os.environ | {"NODE_ENV": "production", "RESTATE_LOGGING": "ERROR"}).said("listening")
    until_open(admin)
    until_open(ingress)
    wish = json.dumps({"uri": f"http://127.0.0.1:{service}"})
    for path, body in (("/deployments", wish), ("/steps/run", "1")):
        answer(admin if path == "/deployments" else ingress, path, body)
    return f"http://127.0.0.1:{ingress}"


TEMPORAL = "github.com/temporalio/cli/cmd/temporal@v1.5.1"  # the newest that the module proxy builds


def temporal(rig):
    """The address of a Temporal development server that keeps its history in a file, built from its Go modules."""
    def make(folder):
        if not shutil.which("go"):
            raise OSError("go is not installed")
        run("go", "install", "-p", "1", TEMPORAL, env=os.environ | {"GOBIN": str(folder)})
    folder = CACHE / "temporal-server"
    if not (folder / "temporal").exists():
        print(f"building {TEMPORAL} into {folder}, which takes minutes", file=sys.stderr)
        try:
            make(folder)
        except (OSError, subprocess.SubprocessError) as error:
            raise Missing(f"it cannot be built: {error} {(getattr(error, 'stderr', '') or '')[-500:]}") from None
    port = free_port()
    rig.start(Process, [folder / "temporal", "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", port,
                        "--log-level", "error", "--db-filename", rig.place / "temporal.db"])
    until_open(port)
    return f"127.0.0.1:{port}"


def answer(port, path, body):
    """Posts until it succeeds: a server that listens need not be ready."""
    end = time.monotonic() + PATIENCE
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            told = connection.getresponse()
            text = told.read()
            if told.status < 300:
                return
        except OSError as error:
            text = error
        finally:
            connection.close()
        if time.monotonic() > end:
            raise Missing(f"{path} is answered {text}")
        time.sleep(0.1)
