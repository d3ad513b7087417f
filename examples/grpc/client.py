"""Submits a workflow over gRPC and follows it to its end: client.py HOST:PORT FILE [TOKEN CA.PEM]"""

import sys
import uuid
from pathlib import Path

import grpc
from pawl.v1 import executions_pb2 as pb
from pawl.v1 import executions_pb2_grpc as services


def connect(address, token=None, authority=None):
    if token is None:
        return grpc.insecure_channel(address)
    shown = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(Path(authority).read_bytes()),
        grpc.access_token_call_credentials(token))
    return grpc.secure_channel(address, shown)


def updates(executions, execution):
    """Every update of an execution; after a broken connection from where it broke off."""
    cursor = ""
    while True:
        try:
            for update in executions.Watch(pb.WatchRequest(execution=execution, after=cursor),
                                           wait_for_ready=True):
                cursor = update.cursor or cursor
                yield update
            return
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise


def main(address, file, *shown):
    with connect(address, *shown) as channel:
        executions = services.ExecutionsStub(channel)
        # With a request id it may be sent again, whatever became of it the first time.
        request = pb.SubmitRequest(definition=Path(file).read_text(), file_name=file,
                                   directory=str(Path.cwd()), request_id=str(uuid.uuid4()))
        execution = executions.Submit(request, wait_for_ready=True).execution
        state = None
        for update in updates(executions, execution):
            for event in update.events:
                print(f"{event.position}-{event.index} {event.event}")
            if update.HasField("state"):
                state = update.state
        print(execution, pb.ExecutionStatus.Name(state.status), state.output.json.decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
