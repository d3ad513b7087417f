"""`pawl run` and the verbs that ask, on the examples."""

import json
import os
import shutil
import signal
import subprocess
import unittest

from pawl_case import PATIENCE, PAWL, REPOSITORY, PawlCase

EXAMPLES = REPOSITORY / "examples"
ONE = """\
name: one
nodes:
  a: {run: "echo hello ${ .input.who }"}
output: ${ .nodes.a.output }
"""


class RunTest(PawlCase):
    def test_wordcount(self):
        texts = self.place / "texts"
        texts.mkdir()
        (texts / "a.txt").write_text("the cat and the dog\n")
        (texts / "b.txt").write_text("The end\n")
        done = self.pawl("run", EXAMPLES / "wordcount.yaml", "--input", f"dir={texts}", "--input", "top=2")
        self.assertEqual(json.loads(done.stdout),
                         {"files": 2, "top": [{"word": "the", "count": 3}, {"word": "and", "count": 1}]})
        self.assertIn("wordcount succeeded", done.stderr)

    def test_wordcount_of_the_licence_texts(self):
        result = json.loads(self.pawl("run", EXAMPLES / "wordcount.yaml").stdout)
        self.assertGreater(result["files"], 5)
        self.assertEqual(result["top"][0]["word"], "the")
        self.assertEqual(len(result["top"]), 10)

    @unittest.skipUnless(shutil.which("cc"), "no C compiler")
    def test_build(self):
        shutil.copytree(EXAMPLES / "build", self.place / "examples/build")
        result = json.loads(self.pawl("run", EXAMPLES / "build.yaml").stdout)
        self.assertIn("(1 + 2) * 3 = 9", result["checks"])
        self.assertTrue((self.place / "build/calc/calc").exists())

    def test_checksums(self):
        self.write("files/one", "1")
        self.write("files/two words", "2")
        out = self.pawl("run", EXAMPLES / "checksums.yaml", "--input", "dir=files").stdout
        self.assertEqual(len(out.splitlines()), 2)
        self.assertTrue(out.startswith("6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"))

    def test_flaky_goes_from_dead_letter_to_success(self):
        repaired = self.place / "repaired"
        done = self.pawl("run", EXAMPLES / "flaky.yaml", "--input", f"repaired={repaired}", code=1)
        self.assertIn("upload[2]: exit code 7: no route to c (3 attempts)", done.stderr)
        self.assertIn("pawl dead-letters redrive e1", done.stderr)
        self.assertIn("e1/upload[2]", self.pawl("dead-letters").stdout)
        state = self.json("show", "e1")
        stubborn = next(n for n in state["NodeStates"] if n["NodeID"] == "stubborn")
        self.assertEqual(stubborn["Attempts"], 3)
        repaired.touch()
        self.assertIn("redriven 1", self.pawl("dead-letters", "redrive", "e1").stdout)
        self.assertEqual(json.loads(self.pawl("resume", "e1").stdout)["uploaded"], 4)

    def test_flaky_discarded_is_a_failure(self):
        self.pawl("run", EXAMPLES / "flaky.yaml", "--input", "repaired=none", code=1)
        self.pawl("dead-letters", "discard", "e1/upload[2]")
        self.assertEqual(self.json("show", "e1")["Status"], "failed")

    def test_a_node_with_dead_letters_only_is_shown_as_parked(self):
        self.write("bad.yaml", "name: bad\nnodes: {a: {run: exit 1}, b: {needs: a, run: 'true'}}\n")
        self.pawl("run", "bad.yaml", code=1)
        out = self.pawl("show", "e1").stdout
        self.assertRegex(out, r"\ba +parked +0/1 +0 +1\b")
        self.assertNotIn("running", out)

    def test_remedies_can_be_pasted_into_a_shell(self):
        self.write("bad.yaml", "name: bad\nnodes: {a: {for_each: 3, run: 'test ${ .item } != 1'}}\n")
        self.write("e1/a1", "what the brackets would match\n")
        self.pawl("run", "bad.yaml", code=1)
        remedy = self.pawl("why", "e1/a[1]").stdout
        self.assertIn("`pawl dead-letters redrive 'e1/a[1]'`", remedy)
        command = remedy.split("give it up with `")[1].split("`")[0]
        done = subprocess.run(command, shell=True, cwd=self.place, capture_output=True, text=True,
                              env={**self.environment, "PATH": f"{os.path.dirname(PAWL)}:{os.environ['PATH']}"})
        self.assertEqual((done.returncode, done.stdout), (0, "discarded 1\n"), done.stderr)

    def test_a_path_into_a_text_is_an_error_in_every_place(self):
        """Followed by Pawl itself or by jq, where the engine decides and where a worker renders."""
        for path in (".input.a.b", ".input.a.b | .", ".input.list.b", ".input.list.b | .",
                     ".input[0]", ".input[0] | ."):
            for node in ("{run: 'echo ${ PATH }'}", "{transform: 'PATH'}", "{when: '${ PATH }', run: 'true'}",
                         "{for_each: '${ PATH }', run: 'true'}"):
                self.write("path.yaml", "name: path\nnodes:\n  a: " + node.replace("PATH", path) + "\n")
                errors = self.pawl("run", "path.yaml", "-i", "a=text", "-i", "list=[1]", code=1).stderr
                self.assertRegex(errors.lower(), "cannot index (string|array|object) with", path + " in " + node)
        self.write("path.yaml", "name: path\nnodes: {a: {run: 'echo absent${ .input.none.b }${ .input.list[7].x }'}}\n"
                                "output: ${ .nodes.a.output }\n")
        self.assertEqual(self.pawl("run", "path.yaml", "-i", "list=[1]").stdout, "absent\n")

    def test_numbers_that_only_pass_through_keep_their_digits(self):
        self.write("digits.yaml", """\
name: digits
nodes:
  each: {for_each: ["${ .input.id }", 12345678901234567890], run: "echo ${ .item }", output: json}
  spread: {for_each: ["${ .input.id }", "${ .input.words[] }"], transform: .item}
output:
  id: ${ .input.id }
  literal: 98765432109876543210
  each: ${ .nodes.each.output }
  note: "no. ${ .input.id } of ${ .nodes.each.output | length }"
  list: ["${ .input.words }", "${ .nodes.spread.output | length }"]
  computed: ${ .input.id + 0 }
""")
        done = self.pawl("run", "digits.yaml", "-i", "id=123456789012345678", "-i", 'words=["a","b"]')
        self.assertEqual(json.loads(done.stdout),
                         {"id": 123456789012345678, "literal": 98765432109876543210,
                          "each": [123456789012345678, 12345678901234567890],
                          "note": "no. 123456789012345678 of 2", "list": [["a", "b"], 3],
                          "computed": 123456789012345680})
        self.write("paths.yaml", "name: paths\nnodes: {a: {run: 'true'}}\noutput: {id: '${ .input.id }', n: 1.50}\n")
        self.assertEqual(json.loads(self.pawl("run", "paths.yaml", "-i", "id=123456789012345678").stdout),
                         {"id": 123456789012345678, "n": 1.5})

    def test_a_part_of_a_value_is_one_value(self):
        """But in a list, where several are as many elements."""
        for part, values in (("empty", 0), ("1, 2", 2)):
            self.write("parts.yaml", "name: parts\nnodes: {a: {run: 'true'}}\n"
                                     f"output: {{id: '${{ .input.id }}', n: '${{ {part} }}'}}\n")
            done = self.pawl("run", "parts.yaml", "-i", "id=7", code=1)
            self.assertIn(f"expected one value, got {values}", done.stderr)
            self.write("parts.yaml", "name: parts\nnodes: {a: {run: 'true'}}\n"
                                     f"output: ['${{ .input.id }}', '${{ {part} }}']\n")
            self.assertEqual(json.loads(self.pawl("run", "parts.yaml", "-i", "id=7").stdout),
                             [7, *range(1, values + 1)])

    def test_inputs(self):
        self.write("one.yaml", ONE)
        self.assertEqual(self.pawl("run", "one.yaml", "-i", "who=a b").stdout, "hello a b\n")
        self.assertEqual(self.pawl("run", "one.yaml", "-i", "who={\"x\": 1}").stdout, 'hello {"x":1}\n')
        self.write("in.json", '{"who": "file"}')
        self.assertEqual(self.pawl("run", "one.yaml", "--input-file", "in.json").stdout, "hello file\n")
        self.assertIn("not JSON", self.pawl("run", "one.yaml", "--input-file", "one.yaml", code=2).stderr)

    def test_no_injection(self):
        self.write("one.yaml", ONE)
        evil = "'; touch stolen; echo '$(touch stolen)`touch stolen`"
        self.assertEqual(self.pawl("run", "one.yaml", "-i", f"who={evil}").stdout, f"hello {evil}\n")
        self.assertFalse((self.place / "stolen").exists())

    def test_request_ids(self):
        self.write("one.yaml", ONE)
        for _ in range(2):
            self.pawl("run", "one.yaml", "-i", "who=x", "--request-id", "r1")
        self.assertEqual(len(self.json("list")["executions"]), 1)
        self.assertIn("r1", self.pawl("run", "one.yaml", "-i", "who=y", "--request-id", "r1", code=2).stderr)

    def test_json_lines(self):
        self.write("one.yaml", ONE)
        lines = [json.loads(line) for line in
                 self.pawl("run", "one.yaml", "-i", "who=x", "-o", "json").stdout.splitlines()]
        self.assertEqual(lines[0], {"event": "started", "execution": "e1"})
        self.assertEqual(lines[-1]["output"], "hello x")
        self.assertEqual(lines[-1]["status"], "succeeded")

    def test_the_execution_record(self):
        self.write("one.yaml", ONE)
        self.pawl("run", "one.yaml", "-i", "who=x", "--label", "team=blue")
        record = self.json("show")
        self.assertEqual(list(record), ["WorkflowID", "ExecutionID", "Status", "NodeStates", "StartTime",
                                        "EndTime", "Error", "Metadata"])
        self.assertEqual(record["NodeStates"][0]["Attempts"], 1)
        self.assertIn("team", json.dumps(record["Metadata"]))

    def test_asking(self):
        self.write("one.yaml", ONE)
        self.pawl("run", "one.yaml", "-i", "who=x")
        self.assertRegex(self.pawl("list").stdout, r"e1 +one +succeeded +1/1 +0 ")
        self.assertIn("hello x", self.pawl("show", "e1").stdout)
        self.assertIn("hello x", self.pawl("logs", "e1").stdout)
        self.assertIn("hello x", self.pawl("logs", "e1/a").stdout)
        part = self.json("logs", "e1/a")
        self.assertEqual((part["node"], part["item"], part["stream"], part["attempt"]), ("a", 0, "stdout", 1))
        self.assertIn("hello x", part["text"])
        self.assertIn("no node b", self.pawl("logs", "e1/b", code=1).stderr)
        history = self.pawl("history", "e1").stdout
        self.assertLess(history.index("submitted"), history.index("attempt 1 granted"))
        self.assertIn("e1", self.pawl("why", "e1").stdout)
        self.assertIn("e9", self.pawl("show", "e9", code=1).stderr)
        self.assertIn("verified: no problems", self.pawl("verify").stdout)

    def test_validate_and_graph(self):
        for example in sorted(EXAMPLES.glob("*.yaml")):
            self.assertIn("no problems", self.pawl("validate", example).stdout)
            self.assertIn("flowchart", self.pawl("graph", example).stdout)
        bad = self.write("bad.yaml", "name: bad\nnodes:\n  list: {run: ls}\n"
                                     "  b: {needs: [lst], transform: '.nodes.list.output | map('}\n")
        errors = self.pawl("validate", bad, code=2).stderr
        self.assertIn("bad.yaml:4:", errors)
        self.assertIn('did you mean "list"?', errors)
        broken = self.write("jq.yaml", "name: bad\nnodes:\n  b: {transform: '.input | map('}\n")
        self.assertIn("jq.yaml:3:", self.pawl("validate", broken, code=2).stderr)

    def test_validate_looks_at_all_files(self):
        for name in ("a", "c"):
            self.write(name + ".yaml", f"name: {name}\nnodes: {{n: {{run: ls}}}}\n")
        self.write("b.yaml", "name: b\nnodes: {n: {runs: ls}}\n")
        files = ["a.yaml", "nofile", "b.yaml", "c.yaml"]
        done = self.pawl("validate", *files, code=2)
        self.assertEqual(done.stdout, "a.yaml: a, 1 node, no problems\nc.yaml: c, 1 node, no problems\n")
        self.assertIn("nofile: No such file", done.stderr)
        self.assertIn("b.yaml:2:", done.stderr)
        told = [json.loads(line) for line in self.pawl("validate", *files, "-o", "json", code=2).stdout.splitlines()]
        self.assertEqual([(one["file"], one["valid"]) for one in told],
                         [("a.yaml", True), ("nofile", False), ("b.yaml", False), ("c.yaml", True)])
        self.assertIn("No such file", told[1]["problems"][0]["message"])

    def test_validate_asks_jq_about_each_expression(self):
        nodes = "".join(f"  n{i}: {{transform: '.input | length + {i}'}}\n" for i in range(70))
        self.write("many.yaml", f"name: many\nnodes:\n{nodes}")
        self.assertIn("70 nodes, no problems", self.pawl("validate", "many.yaml").stdout)
        bad = {3: "(.input", 4: ".input)", 40: ".input | nosuch", 50: ".input | nosuch", 69: "1), (2"}
        nodes = "".join(f"  n{i}: {{transform: '{bad.get(i, f'.input | length + {i}')}'}}\n" for i in range(70))
        self.write("many.yaml", f"name: many\nnodes:\n{nodes}")
        [told] = [json.loads(line) for line in
                  self.pawl("validate", "many.yaml", "-o", "json", code=2).stdout.splitlines()]
        self.assertEqual([one["line"] - 3 for one in told["problems"]], sorted(bad))

    def test_validate_ends_at_once_when_interrupted(self):
        for verb in ("validate", "graph"):
            for sent in (signal.SIGINT, signal.SIGTERM):
                pipe = self.fifo(f"{verb}{sent}")
                process = self.start(verb, pipe)
                with open(pipe, "w"):  # it reads now
                    process.send_signal(sent)
                    self.assertEqual(process.wait(timeout=PATIENCE), 130)

    def test_output_that_is_not_utf_8_is_a_failure(self):
        self.write("there.yaml", "name: there\nnodes:\n  list: {run: ls d, output: lines}\n"
                                 "  drop: {needs: [list], for_each: '${ .nodes.list.output }', "
                                 "run: 'rm d/${ .item }'}\n")
        (self.place / "d").mkdir()
        (self.place / "d/f\ufffd").touch()
        with open(os.fsencode(self.place) + b"/d/f\xff", "w"):
            pass
        failed = self.pawl("run", "there.yaml", code=1)
        self.assertIn("list: output: stdout is not UTF-8 at byte", failed.stderr)
        self.assertEqual(len(os.listdir(self.place / "d")), 2)
        self.write("text.yaml", "name: text\nnodes: {a: {run: printf 'f\\377'}}\n")
        self.assertIn("not UTF-8 at byte 2", self.pawl("run", "text.yaml", code=1).stderr)

    def test_usage(self):
        self.assertIn("--queue", self.pawl("worker", "--queue", "a b", code=2).stderr)
        self.assertIn("--zone", self.pawl("worker", "--label", "zone=x", code=2).stderr)
        self.assertIn("did you mean \"run\"", self.pawl("rum", code=2).stderr)
        self.assertIn("did you mean --jobs", self.pawl("run", "x", "--job", "3", code=2).stderr)
        self.assertIn("Usage: pawl VERB", self.pawl("help").stdout)
        self.assertIn("Usage: pawl VERB", self.pawl("help", "help").stdout)
        self.assertIn("Usage: pawl VERB", self.pawl("help", "--help").stdout)
        for verb in ("run", "each", "resume", "list", "show", "logs", "history", "why", "cancel",
                     "dead-letters", "validate", "graph", "verify"):
            self.assertIn("Examples:" if verb else "", self.pawl(verb, "--help").stdout)
        self.assertRegex(self.pawl("version").stdout, r"^pawl \d+\.\d+\.\d+\n$")

    def test_why_names_what_helps_where_nobody_works(self):
        self.write("slow.yaml", f"name: slow\nnodes: {{a: {{run: 'echo x > {self.fifo()}; sleep 100'}}}}\n")
        run = self.start("run", "slow.yaml")
        self.heard(self.place / "fifo")
        self.interrupt(run)
        self.finish(run, 130)
        said = self.pawl("why", "e1/a").stdout
        self.assertIn("go on with: pawl resume e1", said)
        self.assertNotIn("worker", said)

    def test_queues_are_named_as_definitions_name_them(self):
        self.pawl("each", "echo {}", ":::", "a")
        self.assertIn("letters, digits", self.pawl("queue", "set", "a b", "--pause", code=2).stderr)
        self.assertIn("no workflow uses it yet", self.pawl("queue", "set", "new", "--pause").stderr)
        self.assertEqual(self.pawl("queue", "set", "new", "--resume").stderr, "")
        self.assertIn("EVALUATING", self.pawl("queue").stdout)

    def test_hosts_are_checked_before_keys_are_made(self):
        self.assertIn("bad host", self.pawl("init", "--dir", "keys", "--host", "bad host", code=2).stderr)
        self.assertFalse((self.place / "keys").exists())
        (self.place / "keys").mkdir(mode=0o755)
        self.write("keys/ca.key", "")
        self.pawl("init", "--dir", "keys", code=2)
        self.assertEqual((self.place / "keys").stat().st_mode & 0o777, 0o755)
        self.pawl("init", "--dir", "others", "--host", "good.example.org")
        self.assertEqual((self.place / "others").stat().st_mode & 0o777, 0o700)
        key = (self.place / "others/ca.key").read_bytes()
        for name in ("ca", "token"):
            said = self.pawl("certificate", "--dir", "others", "--name", name, "--force", code=2).stderr
            self.assertIn("the authority's own keys", said)
        self.assertEqual((self.place / "others/ca.key").read_bytes(), key)

    def test_output_that_cannot_be_written_is_a_failure(self):
        self.pawl("each", "echo {}", ":::", "a")
        for words in (["list"], ["show", "--output", "json"], ["help"], ["each", "echo {}", ":::", "a"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PAWL, *words], cwd=self.place, env=self.environment, stdin=subprocess.DEVNULL,
                                      stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("standard output cannot be written: No space left on device", done.stderr)

    def test_output_may_be_cut_short(self):
        self.write("many.yaml", "name: many\nnodes:\n  a: {for_each: 3000, transform: .item}\n")
        self.pawl("run", "many.yaml")
        done = subprocess.run(f"{PAWL} show e1 | head -n 1", shell=True, cwd=self.place, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
