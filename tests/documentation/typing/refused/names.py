"""Names that are misspelt, of what is imported when it is asked for too. Each is an error to both checkers."""

from __future__ import annotations

import batchcore
import batchcore_sqs
import batchcore_testing

print(batchcore.BatchProcesor)  # refused
print(batchcore.PartialItemFailuresResponse)  # refused
print(batchcore_testing.SimulatedContexts)  # refused
print(batchcore_sqs.SqsFifoProcessor)  # refused
