"""No-op activities through Temporal: `run.py ADDRESS TASKS` prints activities per second, start to last result. Workflows
of a hundred activities each, so that the history of none grows long; a worker process of its own."""

import asyncio
import subprocess
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

EACH = 100  # activities of a workflow
QUEUE = "bench"


@activity.defn
async def nothing() -> None:
    return None


@workflow.defn
class Many:
    @workflow.run
    async def run(self, count: int) -> None:
        await asyncio.gather(*(workflow.execute_activity(nothing, start_to_close_timeout=timedelta(minutes=5))
                               for _ in range(count)))


async def work(address):
    client = await Client.connect(address)
    await Worker(client, task_queue=QUEUE, workflows=[Many], activities=[nothing],
                 workflow_runner=UnsandboxedWorkflowRunner()).run()


async def measure(address, tasks):
    client = await Client.connect(address)
    await client.execute_workflow(Many.run, 1, id="first", task_queue=QUEUE)
    start = time.monotonic()
    handles = [await client.start_workflow(Many.run, EACH, id=f"many-{i}", task_queue=QUEUE)
               for i in range(-(-tasks // EACH))]
    await asyncio.gather(*(handle.result() for handle in handles))
    print(len(handles) * EACH / (time.monotonic() - start))


if __name__ == "__main__":
    if sys.argv[2] == "worker":
        asyncio.run(work(sys.argv[1]))
    else:
        worker = subprocess.Popen([sys.executable, __file__, sys.argv[1], "worker"])
        try:
            asyncio.run(measure(sys.argv[1], int(sys.argv[2])))
        finally:
            worker.terminate()
            worker.wait()
