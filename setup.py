"""The packages, and the configurations as data of `ppdet`; everything else is in pyproject.toml.

`configs/` stands beside `ppdet/` in the repository, where PaddleDetection's users look for it, and goes into the wheel as
`ppdet/configs`; `ppdet.core.shipped` finds it in both places.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["ppdet", "ppdet.*"]), "ppdet.configs"],
    include_package_data=False,  # MANIFEST.in is for source archives; what a wheel holds is said below
    package_dir={"ppdet.configs": "configs"},
    package_data={
        "ppdet": ["py.typed", "model_zoo/*", "model_zoo/**/*", "modeling/operators/*.cc", "service/page/*"],
        "ppdet.configs": ["**/*.yml", "**/*.yaml", "**/*.md"],
    },
)
