"""What llama.cpp was compiled for, beside what a processor has."""

import platform
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest

from solarmini.engine.compiled import compiled_features, how_to_compile, unused_features

INTEL = "vendor_id\t: GenuineIntel\n"
X86 = "processor : 0\nflags\t\t: fpu sse2 avx2 avx_vnni avx512f avx512_vnni amx_int8 lm\n"
ARM = "processor : 0\nFeatures\t: fp asimd asimddp i8mm sve\n"


@pytest.mark.parametrize(
    ("cpuinfo", "compiled", "unused"),
    [
        (X86, {"AVX", "AVX2"}, ["AVX_VNNI", "AVX512", "AVX512_VNNI"]),
        (X86, {"AVX2", "AVX_VNNI", "AVX512", "AVX512_VNNI"}, []),
        (ARM, {"NEON", "DOTPROD"}, ["MATMUL_INT8", "SVE"]),
        ("model name : unknown\n", {"AVX2"}, []),
    ],
)
def test_what_a_build_leaves_unused(
    cpuinfo: str, compiled: set[str], unused: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(cpuinfo)
    assert unused_features(path, frozenset(compiled)) == unused
    assert unused_features(tmp_path / "none", frozenset(compiled)) == []


def test_the_library_says_what_it_was_compiled_for() -> None:
    found = compiled_features()
    expected = {"x86_64": "AVX2", "aarch64": "NEON", "arm64": "NEON"}
    assert expected[platform.machine()] in found
    assert not set(unused_features()) & found


@pytest.mark.parametrize(
    ("cpuinfo", "amx", "ahead"),
    [(X86, True, False), (INTEL + X86, True, True), (INTEL, False, True), (ARM, False, False)],
)
def test_the_command_compiles_the_version_that_is_installed(
    cpuinfo: str, amx: bool, ahead: bool, tmp_path: Path
) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text(cpuinfo)
    words = shlex.split(how_to_compile(path))
    variable, options = words[0].split("=", 1)
    assert variable == "CMAKE_ARGS"
    for name in ("CMAKE_C_FLAGS", "CMAKE_CXX_FLAGS"):
        found = [option for option in shlex.split(options) if option.startswith(f"-D{name}=")]
        flags = found[0].split() if found else []
        assert any("-mno-amx-int8" in flag for flag in flags) is amx
        assert any("-fprefetch-loop-arrays" in flag for flag in flags) is ahead
    assert words[1:3] == ["pip", "install"]
    assert words[-1] == f"xllamacpp=={version('xllamacpp')}"
