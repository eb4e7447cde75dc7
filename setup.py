"""The one thing that pyproject.toml cannot say yet: the optional compiled engine."""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "rall._engine",
            ["core/_engine.pyx"],
            include_dirs=["core/include"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            py_limited_api=True,
            extra_compile_args=["-O2", "-g0"],
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
