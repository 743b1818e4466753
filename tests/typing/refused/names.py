"""Names that are misspelt, of what is imported when it is asked for too. Each is an error to both checkers."""

from __future__ import annotations

import batchcore
import batchcore.testing
import batchcore_sqs

print(batchcore.BatchProcesor)  # refused
print(batchcore.PartialItemFailuresResponse)  # refused
print(batchcore.testing.SimulatedContexts)  # refused
print(batchcore_sqs.SqsFifoProcessor)  # refused
