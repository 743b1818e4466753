"""A function whose deployment package lacks something it imports."""

import a_package_that_nobody_installed  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]


def lambda_handler(event: object, context: object) -> object:
    return a_package_that_nobody_installed.answer(event, context)
