"""kill -9 at any moment, and on again: what was recorded as done is not done again, and the result is the same.

PAWL_KILLS says how many runs are killed: 30 if nothing is said, which hits every stage of a run and is quick enough for
each change; PAWL_KILLS=100 for the long form. PAWL_SEED does the same again: it decides at which stage each is killed
and how long after, the machine how far it has come by then.
"""

import json
import os
import random
import shutil
import time
import unittest
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from pawl_case import IN_MEMORY, PATIENCE, PawlCase

KILLS = int(os.environ.get("PAWL_KILLS", "30"))
SEED = int(os.environ.get("PAWL_SEED", random.randrange(1 << 32)))
AT_ONCE = 2
JITTER = 0.005  # seconds at most from a stage until the kill
# A task's effect is its last deed. Two attempts of it are two lines.
SMALL = """\
name: small
nodes:
  first: {run: 'echo 7; echo first 0 >> effects', output: json}
  left:
    needs: [first]
    for_each: 4
    run: 'times=${ .nodes.first.output }; echo $((PAWL_ITEM * times)); echo left $PAWL_ITEM >> effects'
    output: json
  right: {needs: [first], for_each: 3, run: 'echo $((PAWL_ITEM + 1)); echo right $PAWL_ITEM >> effects', output: json}
  join: {needs: [left, right], transform: '[.nodes.left.output, .nodes.right.output]'}
  last: {needs: [join], run: 'echo last; echo last 0 >> effects'}
output: '${ {join: .nodes.join.output, last: .nodes.last.output} }'
"""
NODES = ("first", "left", "right", "join", "last")
TASKS = {("first", 0), ("last", 0), *(("left", item) for item in range(4)), *(("right", item) for item in range(3))}
OUTPUT = {"join": [[0, 7, 14, 21], [1, 2, 3]], "last": "last"}


class RandomKillTest(PawlCase):
    folder = IN_MEMORY  # what was given to the kernel outlives a process, wherever it is

    def test_what_was_recorded_is_not_done_again(self):
        self.write("small.yaml", SMALL)
        dice = random.Random(SEED)
        plan = [(number, dice.randrange(-1, len(TASKS)), dice.uniform(0, JITTER)) for number in range(KILLS)]
        print(f"PAWL_SEED={SEED} PAWL_KILLS={KILLS}", flush=True)  # whatever comes of it
        with ThreadPoolExecutor(AT_ONCE) as pool:
            killed = Counter(pool.map(lambda one: self.kill_and_resume(*one), plan))
        print(f"runs by how many tasks were recorded when they were killed: {dict(sorted(killed.items()))}")
        unfinished = sum(times for count, times in killed.items() if 0 < count < len(TASKS))
        self.assertGreater(unfinished, KILLS // 6, f"PAWL_SEED={SEED}: hardly one was killed in the middle")

    def kill_and_resume(self, number, stage, jitter):
        """The number of tasks that had been recorded when it was killed."""
        place = self.place / str(number)
        place.mkdir()
        run = self.start("run", "../small.yaml", "--jobs", "2", "--quiet", cwd=place)
        self.pass_stage(run, place, stage)
        time.sleep(jitter)  # the kill comes whenever it comes
        run.kill()
        run.wait()
        recorded = self.succeeded(place)
        words = ["run", "../small.yaml", "--quiet"] if recorded is None else ["resume", "e1"]
        done = self.pawl(*words, cwd=place).stdout
        told = f"PAWL_SEED={SEED} PAWL_KILLS={KILLS}: run {number}, killed {jitter * 1000:.1f} ms after task {stage}"
        self.assertEqual(json.loads(done), OUTPUT, told)
        self.check_effects(place, set(recorded or ()), told)
        self.assertEqual(Counter(self.succeeded(place)), Counter(TASKS), told + ": each has one end")
        shutil.rmtree(place)
        return len(recorded or ())

    def pass_stage(self, run, place, stage):
        """Until so many tasks have had their effect, or it has ended; -1: at once."""
        end = time.monotonic() + PATIENCE
        while stage >= 0 and len(self.effects(place)) < stage and run.poll() is None:
            self.assertLess(time.monotonic(), end, "no progress")
            time.sleep(0.001)

    def effects(self, place):
        path = place / "effects"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(node, int(item)) for node, item in map(str.split, lines)]

    def succeeded(self, place):
        """The tasks that the history says are done, one by one; None: nothing has been submitted."""
        if not self.effects(place) and not self.submitted(place):
            return None
        ranges = [one["with"] for one in self.json("history", "e1", cwd=place)["entries"]
                  if one["event"] == "attempts_succeeded"]
        found = [(NODES[one["node_index"]], item) for one in ranges for item in range(one["begin"], one["end"])]
        return [task for task in found if task in TASKS]  # what jq computes has no effect

    def submitted(self, place):
        """There may not even be a state directory yet."""
        listed = self.start("list", "--output", "json", cwd=place)
        out, err = listed.communicate(timeout=PATIENCE)
        self.assertIn(listed.returncode, (0, 3), err)
        return listed.returncode == 0 and bool(json.loads(out)["executions"])

    def check_effects(self, place, recorded, told):
        times = Counter(self.effects(place))
        self.assertEqual(set(times), TASKS, told)
        self.assertEqual({task: times[task] for task in recorded if times[task] != 1}, {}, told + ": done again")
        self.assertLessEqual(max(times.values()), 2, told)


if __name__ == "__main__":
    unittest.main()
