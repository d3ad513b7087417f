"""Runs remote_example against a real server that is killed meanwhile, in plain text and in TLS.

  python3 remote_test.py REMOTE_EXAMPLE PAWL

Every event must be shown once, in the order of the history, and the workflow must have run once.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

WORKFLOW = """\
name: gated
nodes:
  before: {for_each: 20, run: 'true'}
  gate: {needs: [before], run: 'until [ -e go ]; do sleep 0.05; done'}
  after: {needs: [gate], run: 'echo done', output: text}
output: ${ .nodes.after.output }
"""


def line_with(stream, words):
    for line in stream:
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}")


def serve(pawl, folder, http, tls):
    server = subprocess.Popen([pawl, "server", "--listen", "127.0.0.1:0", "--http", http, "--jobs", "2", *tls],
                              cwd=folder, stderr=subprocess.PIPE, text=True)
    return server, line_with(server.stderr, "clients at").rsplit(" ", 1)[1].strip()


def places(folder, pawl):
    told = subprocess.run([pawl, "history", "e1", "--output", "json"], cwd=folder, check=True,
                          capture_output=True, text=True).stdout
    return [f"{one['position']}-{one['index']}" for one in json.loads(told)["entries"]]


def check(program, pawl, tls):
    with tempfile.TemporaryDirectory(prefix="pawl-remote-") as temporary:
        folder = Path(temporary)
        (folder / "gated.yaml").write_text(WORKFLOW)
        variables = dict(os.environ)
        if tls:
            subprocess.run([pawl, "init", "--dir", "keys"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            variables |= {"PAWL_CA": "keys/ca.pem", "PAWL_TOKEN": (folder / "keys/admin.token").read_text().strip()}
        server, url = serve(pawl, folder, "127.0.0.1:0", tls)
        assert url.startswith("https://" if tls else "http://"), url
        client = None
        try:
            client = subprocess.Popen([program, url, "gated.yaml", "once"], cwd=folder, text=True, env=variables,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            shown = [client.stdout.readline().strip() for _ in range(3)]
            server.kill()
            server.wait()
            server, _ = serve(pawl, folder, url.rsplit("/", 1)[1], tls)
            (folder / "go").touch()
            shown += client.stdout.read().splitlines()
            assert client.wait() == 0, client.stderr.read()
            assert shown[-1] == 'output: "done"', shown
            every = places(folder, pawl)
            assert shown[:-1] == every, f"{shown}\n{every}"
            again = subprocess.run([program, url, "gated.yaml", "once"], cwd=folder, text=True, env=variables,
                                   capture_output=True, timeout=60, check=True)
            assert again.stdout.splitlines() == shown, again.stdout
            gone = subprocess.run([program, url, "nothing.yaml", "once"], cwd=folder, text=True, env=variables,
                                  capture_output=True, timeout=60, check=False)
            assert gone.returncode == 1 and "nothing.yaml" in gone.stderr, gone
            if tls:
                nobody = subprocess.run([program, url, "gated.yaml", "once"], cwd=folder, text=True, timeout=60,
                                        env={**variables, "PAWL_TOKEN": ""}, capture_output=True, check=False)
                assert nobody.returncode == 1 and "neither a token nor a certificate" in nobody.stderr, nobody
        finally:
            for process in (client, server):
                if process and process.poll() is None:
                    process.kill()
                    process.wait()
    print(f"{len(shown) - 1} events shown once each, over a killed server")


def main():
    program, pawl = (str(Path(word).resolve()) for word in sys.argv[1:])
    for tls in ([], ["--tls", "keys"]):
        check(program, pawl, tls)


if __name__ == "__main__":
    main()
