"""Several workers behind one server: each takes its part, what one does is done once, and what one leaves undone when
it is killed the others do."""

import json
import os
import re
import shutil
import unittest
from collections import Counter
from pathlib import Path

from pawl_case import PATIENCE, REPOSITORY, PawlCase

LONG = 3 * PATIENCE  # for thousands of processes on a starved machine

# Each worker has a file of its own, to which a task adds its number when it is done.
MANY = """\
name: many
nodes: {a: {for_each: 5000, run: 'echo $PAWL_ITEM >> done-$WORKER; echo $PAWL_ITEM', output: json}}
output: ${ .nodes.a.output }
"""
# In the middle of them is one that says who runs it, and goes on for ever; the second time it is like the others.
HALFWAY = """\
name: halfway
input: {fifo: null}
nodes:
  a:
    for_each: 10000
    run: |
      [ $PAWL_ITEM != 5000 ] || ! mkdir said 2> /dev/null || { echo $WORKER > ${ .input.fifo }; exec sleep 1000; }
      echo $PAWL_ITEM >> done-$WORKER
      echo $PAWL_ITEM
    output: json
output: ${ .nodes.a.output }
"""
# The first task ends after the last one.
FAN = """\
name: fan
nodes:
  square:
    for_each: 100
    run: |
      [ $PAWL_ITEM != 0 ] || until [ -e last ]; do sleep 0.05; done
      echo $PAWL_ITEM >> ended
      echo $((PAWL_ITEM * PAWL_ITEM))
      [ $PAWL_ITEM != 99 ] || touch last
    output: json
  join:
    needs: [square]
    transform: '{order: .nodes.square.output, sum: (.nodes.square.output | add)}'
output: ${ .nodes.join.output }
"""
# An attempt has its effect, and is killed before anybody hears of it: each task comes twice. Whoever counts it knows it
# again by its key.
TWICE = """\
name: twice
nodes:
  a:
    for_each: 24
    run: |
      mkdir keys/$PAWL_IDEMPOTENCY_KEY 2> /dev/null && echo $PAWL_ITEM >> counted
      echo $PAWL_IDEMPOTENCY_KEY >> effects
      [ $PAWL_ATTEMPT != 1 ] || exec sleep 1000
"""
# Of a worker that is to be killed: it counts five files, and then says that it counts a sixth, for ever.
SIXTH = """\
#!/bin/sh
echo x >> {place}/passed
if [ $(wc -l < {place}/passed) -gt 5 ]; then echo up > {place}/fifo; exec sleep 1000; fi
exec {awk} "$@"
"""
# Of the other one: it begins once the first is dead.
LATER = """\
#!/bin/sh
until [ -e {place}/go ]; do sleep 0.05; done
echo x >> {place}/other
exec {awk} "$@"
"""


class FleetTest(PawlCase):
    def workers(self, address, *names, jobs=1):
        """Processes by name; each knows its own, and so do its tasks."""
        found = {}
        for name in names:
            self.environment["WORKER"] = name
            found[name] = self.worker(address, "--name", name, "--jobs", jobs)
        return found

    def done_by(self, name):
        return (self.place / f"done-{name}").read_text().split()

    def history(self, execution, event):
        """What stands in its events of that kind."""
        entries = self.json("history", execution, "--limit", "100000")["entries"]
        return [one["with"] for one in entries if one["event"] == event]

    def all_succeeded(self, execution, count):
        listed = self.json("list")["executions"]
        tasks = next(one["tasks"] for one in listed if one["id"] == execution)
        self.assertEqual((tasks["total"], tasks["succeeded"]), (count, count))

    def test_5000_tasks_on_three_workers_each_once(self):
        _, address = self.server()
        names = ("one", "two", "three")
        self.workers(address, *names)
        self.write("many.yaml", MANY)
        self.assertEqual(json.loads(self.pawl("run", "many.yaml", timeout=LONG).stdout), list(range(5000)))
        self.all_succeeded("e1", 5000)
        done = {name: self.done_by(name) for name in names}
        self.assertTrue(all(done.values()), {name: len(items) for name, items in done.items()})
        twice = [item for item, times in Counter(sum(done.values(), [])).items() if times > 1]
        self.assertEqual(twice, [])
        self.assertEqual(sum(map(len, done.values())), 5000)
        succeeded = [item for one in self.history("e1", "attempts_succeeded")
                     for item in range(one["begin"], one["end"])]
        self.assertEqual(sorted(succeeded), list(range(5000)))

    def test_a_worker_killed_in_the_middle_of_10000_items_loses_none(self):
        _, address = self.server()
        workers = self.workers(address, "one", "two", jobs=2)
        self.write("halfway.yaml", HALFWAY)
        fifo = self.fifo()
        run = self.start("run", "halfway.yaml", "-i", f"fifo={fifo}")
        killed = self.heard(fifo)
        workers[killed].kill()
        workers[killed].wait()
        self.assertEqual(json.loads(run.communicate(timeout=LONG)[0]), list(range(10_000)))
        self.all_succeeded("e1", 10_000)
        done = Counter(self.done_by("one") + self.done_by("two"))
        self.assertEqual(sorted(map(int, done)), list(range(10_000)))
        again = sum(times - 1 for times in done.values())
        self.assertLessEqual(again, 16, "no more than it may hold granted has run twice")
        heir = "two" if killed == "one" else "one"
        self.assertIn("5000", self.done_by(heir))

    def test_a_fan_of_100_over_four_workers_joins_in_the_order_of_its_items(self):
        _, address = self.server()
        self.workers(address, "one", "two", "three", "four")
        self.write("fan.yaml", FAN)
        joined = json.loads(self.pawl("run", "fan.yaml").stdout)
        squares = [item * item for item in range(100)]
        self.assertEqual(joined["order"], squares)
        self.assertEqual(joined["sum"], sum(squares))
        ended = (self.place / "ended").read_text().split()
        self.assertEqual(sorted(map(int, ended)), list(range(100)))
        self.assertGreater(ended.index("0"), ended.index("99"))
        self.assertEqual(len({one["session"] for one in self.history("e1", "attempts_granted")}), 4)

    def test_what_comes_twice_has_one_key(self):
        _, address = self.server()
        (self.place / "keys").mkdir()
        first = self.workers(address, "one", jobs=24)["one"]
        self.write("twice.yaml", TWICE)
        effects = self.write("effects", "")
        run = self.start("run", "twice.yaml")
        self.wait_for(lambda: len(effects.read_text().splitlines()) == 24)
        first.kill()
        first.wait()
        self.workers(address, "two", jobs=4)
        self.finish(run, 0)
        self.all_succeeded("e1", 24)
        keys = Counter((self.place / "effects").read_text().split())
        self.assertEqual(set(keys.values()), {2}, "each had its effect twice")
        self.assertEqual(len(keys), 24)
        counted = (self.place / "counted").read_text().split()
        self.assertEqual(sorted(map(int, counted)), list(range(24)))
        again = [one for one in self.history("e1", "attempts_granted") if one["attempt"] == 2]
        self.assertEqual(sum(one["end"] - one["begin"] for one in again), 24)

    def path_with(self, name, awk):
        """A PATH in which `awk` is this."""
        script = self.write(f"{name}/awk", awk.format(place=self.place, awk=shutil.which("awk")))
        script.chmod(0o755)
        return f"{script.parent}{os.pathsep}{os.environ['PATH']}"

    def test_words_are_counted_although_a_worker_is_killed(self):
        self.write_texts()
        _, address = self.server()
        fifo = self.fifo()
        self.environment["PATH"] = self.path_with("sixth", SIXTH)
        doomed = self.workers(address, "doomed")["doomed"]
        self.environment["PATH"] = self.path_with("later", LATER)
        self.workers(address, "heir")
        run = self.start("run", REPOSITORY / "examples/wordcount.yaml", "-i", f"dir={self.place}/texts", "-i", "top=25")
        self.heard(fifo)
        doomed.kill()
        doomed.wait()
        (self.place / "go").touch()
        counted = json.loads(self.finish(run, 0)[0])
        self.assertEqual(counted, {"files": 40, "top": self.words_of_texts()[:25]})
        self.assertGreater(len(self.words_of_texts()), 25)
        # The killed one had counted five, and was not heard of each.
        self.assertEqual(len((self.place / "passed").read_text().split()), 6)
        self.assertIn(len((self.place / "other").read_text().split()), range(35, 41))
        self.assertIn("lost", [one["kind"] for one in self.history("e1", "attempt_failed")])

    def write_texts(self):
        """Forty of them, the same each time; words of two letters and other cases are among them."""
        vocabulary = ["pawl", "Ratchet", "wheel", "TOOTH", "it", "of", "gear", "axle", "spring", "lever"]
        vocabulary += [f"word{chr(97 + one)}{chr(97 + two)}" for one in range(10) for two in range(10)]
        for number in range(40):
            words = [vocabulary[(number * number + place * place * 7 + place) % len(vocabulary)]
                     for place in range(200 + 13 * number)]
            text = "".join(word + (".\n" if place % 9 == 8 else ", ") for place, word in enumerate(words))
            self.write(f"texts/{number:02}.txt", text)

    def words_of_texts(self):
        counts = Counter()
        for path in Path(self.place / "texts").iterdir():
            counts.update(word.lower() for word in re.findall("[A-Za-z]+", path.read_text()) if len(word) > 2)
        often = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        return [{"word": word, "count": count} for word, count in often]


if __name__ == "__main__":
    unittest.main()
