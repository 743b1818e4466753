"""A function that does nothing: what the runtime client itself takes."""


def lambda_handler(event: dict[str, object], context: object) -> dict[str, object]:
    return {"batchItemFailures": []}
