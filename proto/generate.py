"""
Regenerate the Python code of the wire contract, or check that it is what the protos say.

    python proto/generate.py --python PYTHON           write the generated code beside the protos
    python proto/generate.py --python PYTHON --check   change nothing; exit 1 if that would

PYTHON is an interpreter that has `grpcio-tools` at exactly the oldest version we support: generated
code refuses to run on a protobuf or grpcio older than its generator, so a newer generator would
raise the lower bounds that users install. That version pins an old protobuf, which is why it lives
in an environment of its own and not beside the code that runs here.

The generated code is committed: a wheel is built from the tree as it lies, and hatchling leaves out
what git ignores.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROTO_ROOT = Path(__file__).resolve().parent
TOOLS_VERSION = "1.71.2"
DECLARES_SERVICE = re.compile(r"^service ", re.MULTILINE)
GENERATED = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")


def generated_files(root: Path) -> dict[Path, bytes]:
    """Return the generated files below *root*, by their path from it."""
    found = (path for pattern in GENERATED for path in root.rglob(pattern))
    return {path.relative_to(root): path.read_bytes() for path in found}


def generate(python: Path, target: Path) -> dict[Path, bytes]:
    """Write the code of every proto below *target*, and return it by its path from there."""
    version = subprocess.run(
        [python, "-c", "import importlib.metadata as m; print(m.version('grpcio-tools'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    if version != TOOLS_VERSION:
        sys.exit(f"expected grpcio-tools {TOOLS_VERSION} in {python}, found {version}")
    protos = sorted(path.relative_to(PROTO_ROOT) for path in PROTO_ROOT.rglob("*.proto"))
    services = [path for path in protos if DECLARES_SERVICE.search((PROTO_ROOT / path).read_text())]
    protoc = [python, "-m", "grpc_tools.protoc", "-I."]
    messages = [f"--python_out={target}", f"--pyi_out={target}"]
    subprocess.run([*protoc, *messages, *protos], check=True, cwd=PROTO_ROOT)
    subprocess.run([*protoc, f"--grpc_python_out={target}", *services], check=True, cwd=PROTO_ROOT)
    return generated_files(target)


def main() -> int:
    """Return the exit status: 0 when the committed code is, or now is, what the protos say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument(
        "--python",
        type=Path,
        default=PROTO_ROOT.parent / ".venv-proto" / "bin" / "python",
        help=f"interpreter with grpcio-tools {TOOLS_VERSION} (`make proto` makes one)",
    )
    parser.add_argument("--check", action="store_true", help="change nothing, report differences")
    options = parser.parse_args()
    if not options.python.exists():
        parser.error(f"{options.python} does not exist; `make proto` makes one")

    with tempfile.TemporaryDirectory() as folder:
        fresh = generate(options.python.absolute(), Path(folder))
    committed = generated_files(PROTO_ROOT)
    stale = sorted(
        path for path in fresh.keys() | committed.keys() if fresh.get(path) != committed.get(path)
    )
    if options.check:
        for path in stale:
            sys.stderr.write(f"proto/{path}: not what the protos generate; run `make proto`\n")
        return 1 if stale else 0
    for path in stale:
        if path in fresh:
            (PROTO_ROOT / path).write_bytes(fresh[path])
        else:
            (PROTO_ROOT / path).unlink()
        sys.stderr.write(f"proto/{path}: {'written' if path in fresh else 'removed'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
