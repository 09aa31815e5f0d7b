"""What llama.cpp was compiled for, and what this processor has beyond that.

Published wheels run on every processor of their kind, so they leave newer vector instructions
unused. Compiled where it runs, llama.cpp takes them; `benchmarks/serve` says what that brings.
"""

import re
import shlex
from functools import cache
from importlib.metadata import version
from pathlib import Path

from solarmini.errors import require

CPUINFO = Path("/proc/cpuinfo")
# llama.cpp's name of what matters for products of matrices, and Linux's: x86, then ARM
FLAGS = {
    "AVX2": "avx2",
    "AVX_VNNI": "avx_vnni",
    "AVX512": "avx512f",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "DOTPROD": "asimddp",
    "MATMUL_INT8": "i8mm",
    "SVE": "sve",
}
# Every line of a row (a ratio of 0, up to 100 under way), some 4 KB ahead: 2,000 instructions of
# latency is GCC's unit. Others ignore the options.
_PREFETCH = (
    "-fprefetch-loop-arrays --param min-insn-to-prefetch-ratio=0 "
    "--param prefetch-latency=2000 --param simultaneous-prefetches=100"
)


@cache
def compiled_features() -> frozenset[str]:
    """Return the names of what llama.cpp was compiled for, as it prints them ("AVX2")."""
    said = require("xllamacpp", "serve").get_system_info()
    return frozenset(name for name, value in re.findall(r"(\w+) = (\d+)", said) if int(value))


def unused_features(cpuinfo: Path = CPUINFO, compiled: frozenset[str] | None = None) -> list[str]:
    """Return what this processor has and llama.cpp was not compiled for; empty where unknown."""
    compiled = compiled_features() if compiled is None else compiled
    flags = _flags(cpuinfo)
    return [name for name, flag in FLAGS.items() if flag in flags and name not in compiled]


def how_to_compile(cpuinfo: Path = CPUINFO) -> str:
    """Return the command that compiles the installed version of llama.cpp for this processor.

    It needs a C++ compiler, CMake, and Rust for grammars. What is left out is not used here, but
    for AMX: with llama.cpp's kernels for it the process ended with an illegal instruction, on a
    virtual machine where AMX itself works. On Intel's processors GCC is to fetch weights ahead of
    their use, which llama.cpp's kernels leave to the processor: `benchmarks/serve` has what it
    brings.
    """
    options, flags = ["-DLLAMA_BUILD_BORINGSSL=OFF"], []
    if "amx_int8" in _flags(cpuinfo):
        flags.append("-mno-amx-int8")
    if "GenuineIntel" in _text(cpuinfo):
        flags.append(_PREFETCH)
    if flags:
        options += [f'"-DCMAKE_{language}_FLAGS={" ".join(flags)}"' for language in ("C", "CXX")]
    return (
        f"CMAKE_ARGS={shlex.quote(' '.join(options))} pip install "
        f"--force-reinstall --no-deps --no-binary xllamacpp xllamacpp=={version('xllamacpp')}"
    )


def _flags(cpuinfo: Path) -> set[str]:
    """Return Linux's names of what the processor has; empty where there is no such file."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", _text(cpuinfo), re.MULTILINE)
    return set(found[1].split()) if found else set()


def _text(cpuinfo: Path) -> str:
    try:
        return cpuinfo.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
