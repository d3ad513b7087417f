"""Compiles proto/pawl/v1/*.proto into one descriptor set, from which pawl.worker makes its messages.

A descriptor set is read by any version of protobuf; generated Python code would only be by the one that made it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileProtocol(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        if self.target_name != "wheel":
            return
        from grpc_tools import protoc

        here = Path(self.root)
        proto = next((p for p in (here / "proto", here.parent.parent / "proto") if p.is_dir()), None)
        if proto is None:
            raise RuntimeError(f"no proto/ in {here} or beside sdk/: build from the repository or from an sdist")
        target = here / "src/pawl/worker/workers.binpb"
        status = protoc.main(
            ["protoc", f"-I{proto}", f"--descriptor_set_out={target}", "--include_imports", "pawl/v1/workers.proto"]
        )
        if status != 0:
            raise RuntimeError("protoc could not compile pawl/v1/workers.proto")
