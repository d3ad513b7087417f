"""What must hold of every execution, whatever was done to the processes and their network.

    faults = list(check_execution("one-7", "chain", detail_output, entries, effects))

Each check yields a line that says what is wrong and where; none: all holds. The numbers in brackets are the
promises of docs/guarantees.md.
"""

from workload import KINDS


class TaskRecord:
    """The attempts of one task, as the history tells them."""

    def __init__(self):
        self.granted = 0  # attempts so far
        self.open = False  # whether the newest has not ended yet
        self.succeeded = None  # the attempt that did
        self.value = None


def check_execution(request, kind, execution, output, entries, effects):
    """`entries`: the whole history; `effects`: the set of (node, item, attempt) with a line in the file."""
    keys = KINDS[kind]
    names = list(keys.nodes)
    tasks = {task: TaskRecord() for task in keys.tasks()}
    yield from check_places(execution, entries)
    yield from check_frame(execution, request, entries)
    for entry in entries:
        event, body = entry["event"], entry["with"]
        if event not in CHANGES:
            continue
        node = names[body["node_index"]]
        for item in range(body["begin"], body["end"]):
            where = f"{execution} ({request}) {node}[{item}] at {entry['position']}-{entry['index']}"
            if (node, item) not in tasks:
                yield f"{where}: its workflow has no such task"
                continue
            for fault in CHANGES[event](tasks, keys, node, item, body):
                yield f"{where}: {fault}"
    outputs = {}
    for node in names:
        yield from check_node(execution, request, keys, node, tasks, outputs, effects)
    if output != keys.result(outputs):
        yield f"{execution} ({request}): its output is {short(output)}, expected {short(keys.result(outputs))}"


def check_places(execution, entries):
    """[9] History is one line of events in time."""
    places = [(entry["position"], entry["index"]) for entry in entries]
    if places != sorted(set(places)):
        yield f"{execution}: the places of its history do not ascend"
    clocks = [entry["clock_ns"] for entry in entries]
    if clocks != sorted(clocks):
        yield f"{execution}: the clock of its history goes back"


def check_frame(execution, request, entries):
    """[3, 5] One submission, by the client's request; one end, the last event."""
    events = [entry["event"] for entry in entries]
    if events.count("execution_submitted") != 1 or events[0] != "execution_submitted":
        yield f"{execution}: its history does not begin with its one submission: {events[:3]}"
    elif entries[0]["with"]["request_id"] != request:
        yield f"{execution}: submitted as {entries[0]['with']['request_id']!r}, not as {request!r}"
    if events.count("execution_ended") != 1 or events[-1] != "execution_ended":
        yield f"{execution}: its history does not end with its one end: {events[-3:]}"
    elif entries[-1]["with"]["status"] != "succeeded":
        yield f"{execution} ({request}): ended as {entries[-1]['with']['status']}: {entries[-1]['with']['error']}"


def on_granted(tasks, keys, node, item, body):
    """[5] Attempts are 1, 2, 3 ..., one at a time, none after a success and none before what the node needs."""
    task = tasks[node, item]
    if body["attempt"] != task.granted + 1:
        yield f"attempt {body['attempt']} is granted after {task.granted}"
    if task.open:
        yield f"attempt {body['attempt']} is granted while attempt {task.granted} is open"
    if task.succeeded is not None:
        yield f"attempt {body['attempt']} is granted after the success of {task.succeeded}"
    for other, record in tasks.items():
        if other[0] in keys.needs(node) and record.succeeded is None:
            yield f"attempt {body['attempt']} is granted before {other[0]}[{other[1]}] has succeeded"
    task.granted, task.open = body["attempt"], True


def on_ended(task, attempt):
    """[6] Nothing of an attempt counts once it has ended or another one is granted."""
    if attempt != task.granted:
        yield f"a result of attempt {attempt} counts after attempt {task.granted} was granted"
    elif not task.open:
        yield f"attempt {attempt} ends twice"
    task.open = False


def on_succeeded(tasks, keys, node, item, body):
    task = tasks[node, item]
    yield from on_ended(task, body["attempt"])
    if task.succeeded is not None:
        yield f"it succeeds with attempt {body['attempt']} after attempt {task.succeeded} did"
    if keys.has_effects(node) and keys.fails(body["attempt"]):
        yield f"attempt {body['attempt']} succeeds, whose program fails"
    task.succeeded = body["attempt"]
    task.value = body["outputs"][item - body["begin"]] if body["outputs"] else None


def on_failed(tasks, keys, node, item, body):
    yield from on_ended(tasks[node, item], body["attempt"])
    allowed = {"lost", "declined"} | ({"exit_code"} if keys.fails(body["attempt"]) else set())
    if body["kind"] not in allowed:
        yield f"attempt {body['attempt']} fails with {body['kind']} ({body['error']})"


CHANGES = {"attempts_granted": on_granted, "attempts_succeeded": on_succeeded, "attempt_failed": on_failed}


def check_node(execution, request, keys, node, tasks, outputs, effects):
    """[3, 5] Each task has one success, whose value is that of its attempt and whose effect is there."""
    values = []
    for item in range(keys.nodes[node].get("for_each", 1)):
        task = tasks[node, item]
        where = f"{execution} ({request}) {node}[{item}]"
        if task.succeeded is None:
            yield f"{where}: never succeeded, in {task.granted} attempts"
            values.append(None)
            continue
        try:
            expected = keys.value(request, node, item, task.succeeded, outputs)
        except TypeError:  # of what it needs, something is missing, and that has been said
            expected = None
        values.append(expected)
        if expected is not None and not same(task.value, expected):
            yield (f"{where}: attempt {task.succeeded} is recorded with {short(shown(task.value))}, "
                   f"its program prints {short(expected)}")
        if keys.has_effects(node):
            yield from check_effects(where, node, item, task, effects)
    outputs[node] = values if keys.mapped(node) else values[0]


def check_effects(where, node, item, task, effects):
    """[3, 5] What succeeded has run, and nothing ran that was not granted."""
    attempts = [attempt for (n, i, attempt) in effects if (n, i) == (node, item)]
    if task.succeeded not in attempts:
        yield f"{where}: attempt {task.succeeded} succeeded and has no effect"
    for attempt in attempts:
        if attempt > task.granted:
            yield f"{where}: attempt {attempt} ran, {task.granted} were granted"
        if attempts.count(attempt) > 1:
            yield f"{where}: attempt {attempt} ran {attempts.count(attempt)} times"


def same(payload, expected):
    """A blob is compared by its size here, and by its bytes where it is part of the execution's output."""
    if payload is not None and "blob" in payload:
        return payload["blob"]["size"] >= len(str(expected))
    return shown(payload) == expected


def shown(payload):
    return payload["json"] if payload is not None and "json" in payload else payload


def short(value):
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:60]} ... {text[-50:]} ({len(text)} characters)"
