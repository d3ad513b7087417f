"""Checks executions while the run goes on, and everything once it is over.

    auditor = Auditor(rig); auditor.start()
    ... faults ...
    auditor.settle(patience)           # waits until all that was asked for has ended
    auditor.finish()                   # the checks over everything
    auditor.faults                     # lines; none: all holds
"""

import json
import threading
import time

from checks import check_execution
from client import PATIENCE, Journal, Refused
from rig import POLL, Broken, descriptors, wait_for

HISTORY_MAX = 10_000  # entries of one execution
TERMINAL = {"succeeded", "failed", "cancelled", "quarantined"}
SAMPLE = 25  # histories that the command line is asked for once nobody holds the directory
DESCRIPTORS_SLACK = 24  # connections and files that come and go


class Auditor:
    def __init__(self, rig, say):
        self.rig, self.say = rig, say
        self.faults = []
        self.checked = {}  # execution -> request
        self.histories = {}  # execution -> its history, of those that have been checked
        self.journals = {}
        self.pending = {}  # request -> execution: acknowledged, and not ended when last looked at
        self.nonces = {}  # of grants
        self.attempts = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def start(self):
        self.thread.start()

    def fault(self, line):
        if len(self.faults) < 100:
            self.faults.append(line)
            self.say(f"WRONG: {line}")

    def watch(self):
        """Asks for what has been acknowledged and has not been checked, as long as the run goes on."""
        while not self.over.wait(0.2):
            try:
                with self.rig.connect(PATIENCE) as client:
                    while not self.over.wait(POLL):
                        self.look(client)
            except (OSError, ValueError):
                continue  # the server is away
            except Refused as refusal:
                if refusal.code not in ("UNAVAILABLE", "UNKNOWN"):
                    self.fault(f"a question was refused: {refusal}")

    def look(self, client):
        self.read_journals()
        for request, execution in list(self.pending.items()):
            if self.over.is_set():
                return
            detail = client.call("get_execution", execution=execution)
            if detail["status"] in TERMINAL or detail["status"] == "parked":
                kind = next(journal.asked[request] for journal in self.journals.values() if request in journal.asked)
                self.check(client, request, kind, execution, detail)
                del self.pending[request]

    def read_journals(self):
        """[4] A request id has one execution."""
        for name in self.rig.clients:
            journal = self.journals.setdefault(name, Journal(self.rig.journals / name))
            for request in journal.read():
                executions = journal.acknowledged[request]
                if len(set(executions)) > 1:
                    self.fault(f"{request} was acknowledged as {sorted(set(executions))}")
                if executions[0] not in self.checked:
                    self.pending[request] = executions[0]

    def check(self, client, request, kind, execution, detail):
        entries = client.call("read_history", execution=execution, limit=HISTORY_MAX)["entries"]
        output = client.payload(detail["output"])
        effects = self.rig.effect_lines().get(execution, [])
        before = len(self.faults)
        for line in check_execution(request, kind, execution, output, entries, effects):
            self.fault(line)
        for entry in entries:
            if entry["event"] == "attempts_granted":
                self.attempts += entry["with"]["end"] - entry["with"]["begin"]
                self.new_nonce(execution, entry["with"]["nonce"])
        if len(self.faults) > before:
            path = self.rig.place / f"history-{execution}.json"
            path.write_text(json.dumps(entries, indent=1))
            self.say(f"  its history is {path}")
        self.histories[execution] = entries
        self.checked[execution] = request

    def new_nonce(self, execution, nonce):
        """[6] No two grants have the same token."""
        if nonce in self.nonces:
            self.fault(f"{execution}: nonce {nonce} was granted before, in {self.nonces[nonce]}")
        self.nonces[nonce] = execution

    def settle(self, patience):
        """[2, 11] Everything that was asked for ends, now that nothing is in its way."""
        end = time.monotonic() + patience
        while (left := self.open()) and not self.faults:
            if time.monotonic() > end:
                for request, execution in list(left.items())[:5]:
                    why = self.rig.pawl("why", execution).stdout if execution else "never acknowledged"
                    self.fault(f"{request} ({execution}) has not ended {patience} s after the last fault: {why}")
                break
            time.sleep(POLL)
        self.over.set()
        self.thread.join()

    def open(self):
        """Requests that have not ended, with their executions as far as they are known."""
        checked = set(self.checked.values())
        return {request: journal.acknowledged.get(request, [None])[0] for journal in list(self.journals.values())
                for request in list(journal.asked) if request not in checked}

    def finish(self):
        with self.rig.connect() as client:
            self.nothing_invented(client)
            self.counts_agree(client)
            self.prefix_kept(client)

    def nothing_invented(self, client):
        """[3, 4] Every execution there is was asked for, and none was made twice."""
        before, found = None, []
        while True:
            page = client.call("list_executions", limit=500, **({"before": before} if before else {}))["executions"]
            found += [one["id"] for one in page]
            if len(page) < 500:
                break
            before = found[-1]
        for execution in found:
            if execution not in self.checked:
                self.fault(f"{execution} exists, and nobody has asked for it")
        if len(set(self.checked.values())) != len(self.checked):
            self.fault("a request has two executions")
        for execution in set(self.checked) - set(found):
            self.fault(f"{execution} was acknowledged and is not there")
        for execution in set(self.rig.effect_lines()) - set(found):
            self.fault(f"tasks of {execution} ran, which is not there")

    def counts_agree(self, client):
        """[2, 5] Conservation: as many have ended as were submitted, and nothing waits or runs."""
        overview = client.call("get_overview")
        counts = overview["counts"]
        ended = sum(counts[name] for name in ("succeeded", "failed", "cancelled", "quarantined"))
        if not counts["submitted"] == ended == len(self.checked):
            self.fault(f"{len(self.checked)} executions were checked, the server counts {counts}")
        for name in ("ready", "running", "parked"):
            if overview[name] != 0:
                self.fault(f"everything has ended, and {overview[name]} tasks are {name}")

    def prefix_kept(self, client):
        """[9] What a history once said it says for ever."""
        for execution, before in self.histories.items():
            now = client.call("read_history", execution=execution, limit=HISTORY_MAX)["entries"]
            if now != before:
                self.fault(f"{execution}: its history is not what it was when it ended")
                path = self.rig.place / f"history-{execution}-twice.json"
                path.write_text(json.dumps({"then": before, "now": now}, indent=1))
                self.say(f"  both are in {path}")

    def descriptors_back(self, before):
        """The server's descriptors are as many as when it began, give or take what is being closed."""
        try:
            wait_for("end of its connections",
                     lambda: descriptors(self.rig.server) <= before + DESCRIPTORS_SLACK)
        except Broken:
            self.fault(f"the server has {descriptors(self.rig.server)} descriptors, {before} at the beginning")

    def after_the_end(self):
        """With every process gone: the bytes on disk prove the same, and nothing is left behind."""
        verified = self.rig.pawl("verify", patience=300)
        if verified.returncode != 0 or "verified: no problems" not in verified.stdout:
            self.fault(f"pawl verify: {verified.stdout}{verified.stderr}")
        step = max(1, len(self.histories) // SAMPLE)
        for execution, before in list(self.histories.items())[::step]:
            told = self.rig.pawl("history", execution, "--limit", HISTORY_MAX, "--output", "json")
            if told.returncode != 0 or json.loads(told.stdout)["entries"] != before:
                self.fault(f"pawl history {execution} differs from what the server said: {told.stderr}")
        for line in self.rig.left_over():
            self.fault(f"a process is left: {line}")
