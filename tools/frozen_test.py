"""What proto/pawl/v1 has promised to programs of others: tests/golden/v1/protocol.txt holds a line per field, value
and call, and none of them may change or go.

  python3 tools/frozen_test.py REPOSITORY PROTOC
  python3 tools/frozen_test.py REPOSITORY PROTOC --write     with each release: appends what is new
  python3 tools/frozen_test.py --self-test

Needs Debian's python3-protobuf.
"""

import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2 as pb

GOLDEN = "tests/golden/v1/protocol.txt"
TYPES = {number: name.removeprefix("TYPE_").lower() for name, number in pb.FieldDescriptorProto.Type.items()}
REPEATED = pb.FieldDescriptorProto.LABEL_REPEATED


def compiled(root, protoc):
    files = sorted((root / "proto/pawl/v1").glob("*.proto"))
    told = subprocess.run([protoc, f"--proto_path={root / 'proto'}", "--descriptor_set_out=/dev/stdout", *files],
                          check=True, capture_output=True).stdout
    return pb.FileDescriptorSet.FromString(told)


def field_line(message, field):
    words = [field.type_name.lstrip(".") or TYPES[field.type]]
    words += ["repeated"] if field.label == REPEATED else []
    words += ["optional"] if field.proto3_optional else []
    if field.HasField("oneof_index") and not field.proto3_optional:
        words.append(f"of {message.oneof_decl[field.oneof_index].name}")
    return f"{field.name} = {field.number} {' '.join(words)}"


def message_lines(prefix, message):
    name = f"{prefix}.{message.name}"
    for field in message.field:
        yield f"{name}.{field_line(message, field)}"
    for enum in message.enum_type:
        yield from enum_lines(name, enum)
    for nested in message.nested_type:
        yield from message_lines(name, nested)


def enum_lines(prefix, enum):
    for value in enum.value:
        yield f"{prefix}.{enum.name}.{value.name} = {value.number}"


def service_lines(prefix, service):
    for call in service.method:
        asked, told = (("stream " if streams else "") + name.lstrip(".")
                       for streams, name in ((call.client_streaming, call.input_type),
                                             (call.server_streaming, call.output_type)))
        yield f"{prefix}.{service.name}.{call.name}({asked}) -> {told}"


def lines_of(files):
    for file in files.file:
        for message in file.message_type:
            yield from message_lines(file.package, message)
        for enum in file.enum_type:
            yield from enum_lines(file.package, enum)
        for service in file.service:
            yield from service_lines(file.package, service)


def faults(promised, now):
    for line in promised:
        if line not in now:
            subject = line.split(" = ")[0].split("(")[0]
            like = next((one for one in now if one.split(" = ")[0].split("(")[0] == subject), "gone")
            yield f"promised: {line}\n  but it is: {like}\n  Others may rely on it: give what is new a name and a " \
                  "number of its own"


def main(root, protoc, *words):
    path = Path(root) / GOLDEN
    promised = path.read_text().splitlines() if path.exists() else []
    now = list(lines_of(compiled(Path(root).resolve(), protoc)))
    if "--write" in words:
        new = [line for line in now if line not in promised]
        path.write_text("".join(f"{line}\n" for line in [*promised, *new]))
        return
    found = list(faults(promised, now))
    if found:
        sys.exit("\n".join(found))
    print(f"frozen_test: all {len(promised)} promises are kept; {len(now) - len(promised)} lines are new")


def self_test():
    files = pb.FileDescriptorSet()
    file = files.file.add(package="p")
    message = file.message_type.add(name="M")
    field = message.field.add(name="a", number=1, type=pb.FieldDescriptorProto.TYPE_STRING, label=REPEATED)
    file.enum_type.add(name="E").value.add(name="NONE", number=0)
    file.service.add(name="S").method.add(name="Do", input_type=".p.M", output_type=".p.M", server_streaming=True)
    promised = list(lines_of(files))
    assert promised == ["p.M.a = 1 string repeated", "p.E.NONE = 0", "p.S.Do(p.M) -> stream p.M"], promised
    assert not list(faults(promised, promised))
    field.number = 2
    told = list(faults(promised, list(lines_of(files))))
    assert len(told) == 1 and "but it is: p.M.a = 2 string repeated" in told[0], told
    message.field.add(name="b", number=3, type=pb.FieldDescriptorProto.TYPE_STRING)
    field.number = 1
    assert not list(faults(promised, list(lines_of(files)))), "what is added breaks nothing"
    file.service.pop()
    assert any("gone" in one for one in faults(promised, list(lines_of(files))))
    print("frozen_test: changes are noticed")


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        self_test()
    elif len(sys.argv) < 3:
        sys.exit(__doc__)
    else:
        main(*sys.argv[1:])
