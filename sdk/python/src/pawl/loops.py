"""The end of an event loop of our own."""

from __future__ import annotations

import asyncio


async def _finish() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancels what still runs, lets generators and threads end, and closes the loop, which is stopped."""
    try:
        loop.run_until_complete(_finish())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
