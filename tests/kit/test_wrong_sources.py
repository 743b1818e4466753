"""Sources that are wrong, each in one way, are each caught by the test that is about it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSSource
from batchcore_testing import ContractBroken, SourceContract
from batchcore_testing.contract import rules
from batchcore_testing.contract.probe import Probe
from batchcore_testing.factories import registered_factory

from .wrong import answering, deciding, decoding, lanes, plain, reading, sending, telling
from .wrong.events import (
    attributes_event,
    dynamodb_event,
    dynamodb_window_event,
    fifo_event,
    firehose_event,
    kafka_event,
    kafka_event_of_two_topics,
    kinesis_binary_event,
    kinesis_event,
    kinesis_event_of_two_lengths,
    kinesis_window_event,
    rabbit_event,
    sqs_event,
    tasks_event,
    tickets_event,
)

EventOf = Callable[[int], Any]

CAUGHT: list[tuple[type[Any], EventOf, str]] = [
    (plain.DropsAnIdentifier, sqs_event, "several_failed_records_are_named"),
    (plain.RepeatsAnIdentifier, sqs_event, "identifiers_are_unique"),
    (plain.AnswersWithAnotherKey, sqs_event, "a_failed_record_is_the_one_that_is_named"),
    (plain.AnswersWithNothing, sqs_event, "a_failed_record_is_the_one_that_is_named"),
    (plain.AnswersWithBareIdentifiers, sqs_event, "a_failed_record_is_the_one_that_is_named"),
    (plain.ChangesTheEvent, sqs_event, "the_event_is_not_changed"),
    (plain.BreaksLaneOrder, kinesis_event, "order_inside_a_lane_is_kept"),
    (plain.GivesRecordsBackwards, kinesis_event, "records_are_given_in_the_order_of_delivery"),
    (plain.ClaimsEverything, sqs_event, "it_refuses_the_events_of_other_sources"),
    (plain.ClaimsNothing, sqs_event, "it_claims_its_events"),
    (plain.AnswersInWords, sqs_event, "a_batch_that_is_done_reads_as_success"),
    (plain.ClaimsJunk, sqs_event, "it_refuses_what_is_no_event"),
    (plain.ForgetsWhatHadNoTime, sqs_event, "it_works_under_a_deadline"),
    (plain.KeepsTheBatchForTheResponse, sqs_event, "two_batches_at_a_time_do_not_mix"),
    (plain.MakesEventsOfAnother, sqs_event, "its_event_factory_makes_its_events"),
    (plain.ReadsWhatIsNotThere, sqs_event, "a_good_record_can_be_read"),
    (plain.GivesAGenerator, sqs_event, "it_gives_the_records_of_an_event"),
    (plain.HasNoName, sqs_event, "it_has_a_name"),
    (plain.MakesATextOfNone, sqs_event, "a_record_without_an_identifier_is_refused"),
    (plain.CopiesAndReadsInside, sqs_event, "a_malformed_record_fails_alone"),
    (plain.TellsThePayload, tickets_event, "descriptions_hold_no_content"),
    (plain.SendsTheSame, tickets_event, "different_records_are_sent_on_as_different_messages"),
    (plain.StringifiesAnObject, kafka_event, "identifiers_are_accepted_back"),
    (plain.HasNoOrder, kafka_event, "order_inside_a_lane_is_kept"),
    (plain.ReadsInsideToOrder, kafka_event, "a_malformed_record_fails_alone"),
    # claims_event
    (reading.ClaimsByTheFirstRecord, sqs_event, "it_refuses_a_mixed_batch"),
    (reading.RefusesTheLastCall, kinesis_window_event, "an_empty_batch_is_a_success"),
    # extract_records
    (reading.DropsWhatItHasSeen, sqs_event, "it_keeps_nothing_of_a_batch"),
    (reading.TakesTheRecordsOut, sqs_event, "the_event_is_not_changed"),
    (reading.GroupsByPartitionKey, kinesis_event, "records_are_given_in_the_order_of_delivery"),
    (reading.ReadsNewImagesOnly, dynamodb_event, "each_record_is_handled_once"),
    # identify_records
    (reading.IdentifiesWithGet, sqs_event, "a_record_without_an_identifier_is_refused"),
    (reading.RemembersIdentifiersByAddress, sqs_event, "identifiers_are_stable"),
    (reading.SequenceAsNumber, kinesis_event, "identifiers_are_accepted_back"),
    (reading.EventIdForSequenceNumber, dynamodb_event, "identifiers_are_accepted_back"),
    (lanes.NamesByTheId, lanes.entries_event, "records_of_two_lanes_are_told_apart"),
    (lanes.NamesByTheIdOfResources, lanes.entries_event, "records_of_two_lanes_are_told_apart"),
    (lanes.LeavesPendingByTheId, lanes.entries_event, "records_of_two_lanes_are_told_apart"),
    (lanes.FindsByTheId, lanes.entries_event, "records_of_two_lanes_are_told_apart"),
    (lanes.GroupedByTheId, lanes.grouped_event, "records_of_two_lanes_are_told_apart"),
    (lanes.GroupedAnewByTheId, lanes.grouped_event, "records_of_two_lanes_are_told_apart"),
    (lanes.SaysThatIdsRepeat, lanes.entries_event, "records_of_two_lanes_are_told_apart"),
    (lanes.FindsByTheOffset, lanes.kafka_event_of_different_offsets, "records_of_two_lanes_are_told_apart"),
    # record_preparer
    (reading.ParsesBodiesInTheHook, sqs_event, "a_malformed_record_fails_alone"),
    (reading.DealsBodiesInTurn, fifo_event, "a_malformed_record_fails_alone"),
    (reading.HidesTheReceiptHandle, sqs_event, "the_event_is_not_changed"),
    (reading.PreparesTheBodyParsed, sqs_event, "it_works_with_a_model"),
    (reading.FetchesWithAsyncioRun, sqs_event, "it_works_with_every_processor"),
    (reading.KeepsTheStreamInAThreadLocal, kinesis_event, "it_works_with_every_processor"),
    # record_decoder
    (decoding.OneViewForAll, sqs_event, "a_handler_gets_its_own_record"),
    (decoding.KeepsViewsByMessageId, sqs_event, "a_record_that_comes_again_is_read_anew"),
    (decoding.DecodesTheRecordOfTheBatch, sqs_event, "what_a_plugin_prepares_is_decoded"),
    (decoding.LooksUpPositionsByAddress, kinesis_event, "what_a_plugin_prepares_is_decoded"),
    (decoding.QuotesTheBody, sqs_event, "errors_hold_no_content"),
    (decoding.ReadsPoisonAsNothing, sqs_event, "what_is_no_json_is_not_read_as_something"),
    (decoding.SetsTheDecimalContext, dynamodb_event, "it_changes_nothing_of_the_process"),
    # ordering_policy
    (deciding.FifoGoesOnAfterAFailure, fifo_event, "what_follows_a_failure_in_its_lane_comes_again"),
    (deciding.DecidesTheQueueOnce, fifo_event, "order_inside_a_lane_is_kept"),
    (deciding.AsksTheEventForItsQueue, sqs_event, "it_works_with_every_processor"),
    (deciding.OneExceptionForAll, fifo_event, "each_record_fails_with_an_exception_of_its_own"),
    (deciding.LanesIgnoreTheWindow, kinesis_window_event, "a_window_stops_at_a_failure"),
    (deciding.LanesByTheNewImage, dynamodb_event, "order_inside_a_lane_is_kept"),
    # acknowledgement
    (deciding.AcknowledgesEachRecord, dynamodb_event, "it_says_how_aws_acknowledges"),
    (deciding.WaitsForACheckpoint, sqs_event, "it_says_how_aws_acknowledges"),
    (answering.KafkaHasOneCheckpoint, kafka_event_of_two_topics, "it_says_how_aws_acknowledges"),
    (answering.RabbitRaisesOnlyForAll, rabbit_event, "it_says_how_aws_acknowledges"),
    # delivery_attempt
    (deciding.CountsDeliveriesItself, sqs_event, "deliveries_are_counted_from_one"),
    (deciding.CountsInText, sqs_event, "deliveries_are_counted_from_one"),
    # describe_record
    (telling.TakesTheGroupOutForTheLog, fifo_event, "the_event_is_not_changed"),
    (telling.DescribesTheBody, sqs_event, "descriptions_hold_no_content"),
    (telling.DescribesWithDates, kinesis_event, "descriptions_hold_no_content"),
    (telling.KeepsTheBatch, kinesis_event, "a_batch_is_let_go"),
    # original_message
    (telling.SendsAttributesAsTheyCame, attributes_event, "records_can_be_sent_on"),
    (telling.SendsTheBodyDecoded, sqs_event, "records_can_be_sent_on"),
    (telling.ReplacesWhatIsNoText, kinesis_binary_event, "different_records_are_sent_on_as_different_messages"),
    (sending.ReadsTheBody, sqs_event, "a_record_that_cannot_be_read_can_be_sent_on"),
    (sending.DecodesEachAttribute, sqs_event, "a_record_that_cannot_be_read_can_be_sent_on"),
    (sending.SendsNothingForNothing, sqs_event, "a_record_that_cannot_be_read_can_be_sent_on"),
    (sending.SendsTheNewImage, dynamodb_event, "a_record_that_cannot_be_read_can_be_sent_on"),
    (sending.DecodesTheData, kinesis_event, "a_record_that_cannot_be_read_can_be_sent_on"),
    (sending.SendsTheValue, kafka_event, "a_record_that_cannot_be_read_can_be_sent_on"),
    (sending.SendsWhatPythonShows, sqs_event, "a_message_is_not_what_python_shows"),
    (sending.SendsWhatPythonShowsInASentence, fifo_event, "a_message_is_not_what_python_shows"),
    (sending.SendsAView, sqs_event, "a_message_is_not_what_python_shows"),
    (sending.SendsAnAddress, kinesis_event, "a_message_is_not_what_python_shows"),
    (sending.SendsTheJSONAsPythonShowsIt, sqs_event, "a_message_is_not_what_python_shows"),
    (sending.SendsBytesAsPythonShowsThem, kinesis_event, "a_message_is_not_what_python_shows"),
    (sending.SendsTheTextAsPythonShowsIt, sqs_event, "a_message_is_not_what_python_shows"),
    # handler_arguments
    (telling.LocksAroundTheHandler, sqs_event, "handlers_get_what_it_offers_them"),
    (telling.PutsAnOpenTransactionBack, dynamodb_event, "handlers_get_what_it_offers_them"),
    (telling.GivesAGenerator, sqs_event, "handlers_get_what_it_offers_them"),
    (telling.KeepsWhatAFailureWrote, kinesis_window_event, "a_failure_leaves_the_state_of_a_window_alone"),
    # build_response
    (answering.NamesOnlyTheFailed, fifo_event, "a_failed_record_is_the_one_that_is_named"),
    (answering.NamesAllThatRaised, sqs_event, "what_is_given_up_is_not_named"),
    (answering.KeepsItsResponse, sqs_event, "several_failed_records_are_named"),
    (answering.AnswersWithResults, sqs_event, "a_response_is_json"),
    (answering.LowestAsText, kinesis_event_of_two_lengths, "several_failed_records_are_named"),
    (answering.AnswersWithoutTheState, dynamodb_window_event, "the_state_of_a_window_goes_out_again"),
    # on their own
    (answering.KafkaByOffset, kafka_event, "each_record_is_handled_once"),
    (answering.KafkaForgetsTheTopic, kafka_event_of_two_topics, "identifiers_are_unique"),
    (answering.KafkaDecodesHeaders, kafka_event, "records_are_given_in_the_order_of_delivery"),
    (answering.KafkaNamesOneCheckpoint, kafka_event, "several_failed_records_are_named"),
    (answering.RabbitRaisesOnlyForAll, rabbit_event, "a_failed_record_is_the_one_that_is_named"),
    (answering.FirehoseLeavesFailuresOut, firehose_event, "a_failed_record_is_the_one_that_is_named"),
    (answering.FirehoseFailsWhatWasNotTried, firehose_event, "it_works_under_a_deadline"),
    (answering.S3BatchGivesUpWhatFailed, tasks_event, "a_failed_record_is_the_one_that_is_named"),
    (answering.S3BatchTriesAgainWhatIsGivenUp, tasks_event, "what_is_given_up_is_not_named"),
]
RIGHT: list[tuple[type[Any], EventOf]] = [
    (SQSSource, sqs_event),
    (SQSSource, fifo_event),
    (KinesisSource, kinesis_event),
    (KinesisSource, kinesis_window_event),
    (DynamoDBSource, dynamodb_event),
    (DynamoDBSource, dynamodb_window_event),
    (plain.Kafka, kafka_event),
    (plain.Tickets, tickets_event),
    (plain.Copies, sqs_event),
    (answering.S3Batch, tasks_event),
    (plain.Kafka, lanes.kafka_event_of_different_offsets),
    (lanes.Redis, lanes.entries_event),
    (lanes.Redis, lanes.entries_event_of_one_id),
    (lanes.Redis, lanes.entries_event_that_nearly_repeats),
    (lanes.LeavesPending, lanes.entries_event),
    (lanes.LeavesPending, lanes.entries_event_that_nearly_repeats),
    (lanes.Grouped, lanes.grouped_event),
    (lanes.GivesAnIdOnce, lanes.grouped_event),
    (lanes.Till, lanes.entries_event),
    (lanes.TillThatIsRead, lanes.entries_event),
    (lanes.TillThatIsReadByPlace, lanes.entries_event),
    (lanes.LogOfKeys, lanes.entries_event),
]
TESTS = [name for name in dir(SourceContract) if name.startswith("test_")]


def runs(test: str, source: Any, event_of: EventOf) -> Iterator[Callable[[], None]]:
    """Give the runs of a test of the suite, one for each of its parameters."""
    method = getattr(SourceContract(), test)
    wanted = inspect.signature(method).parameters
    marks = [mark for mark in getattr(method, "pytestmark", ()) if mark.name == "parametrize"]
    factory = source.factory if hasattr(source, "factory") else registered_factory(source.name)
    for value in marks[0].args[1] if marks else [None]:
        told = getattr(source, "reads", None), getattr(source, "identifiers_repeat", None), factory
        known = {"probe": Probe(source, event_of(8), *told), "event_of": event_of}
        given = {name: each for name, each in known.items() if name in wanted}
        arguments = {**given, marks[0].args[0]: value} if marks else given
        yield lambda arguments=arguments: method(**arguments)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(("kind", "event_of", "test"), CAUGHT, ids=lambda value: getattr(value, "__name__", value))
def test_a_wrong_source_is_caught_by_the_test_that_is_about_it(kind: type[Any], event_of: EventOf, test: str) -> None:
    source, broken = kind(), []
    for run in runs(f"test_{test}", source, event_of):
        try:
            run()
        except ContractBroken as error:
            broken.append(error)
            break

    assert broken
    text = str(broken[0])
    assert [line.partition(":")[0] for line in text.splitlines()[-3:]] == ["  seen", "  mend", "  rule"]
    assert text.startswith(broken[0].rule.text)


def test_an_identifier_of_another_type_points_at_the_hook_that_should_refuse_it() -> None:
    (run,) = runs("test_a_malformed_record_fails_alone", lanes.NamesByWhateverIsThere(), lanes.entries_event)

    with pytest.raises(ContractBroken) as caught:
        run()

    seen, mend = str(caught.value).splitlines()[1:3]
    assert "the batch ends with TypeError" in seen
    assert mend.startswith("  mend:  identify_records(), which must raise RecordIdentityError")


def test_a_rule_of_ours_stands_where_an_installed_package_has_it() -> None:
    ours = {rule.where for rule in vars(rules).values() if isinstance(rule, rules.Rule)} - {"failures"}

    for where in ours:
        if not where.startswith("https://"):
            module, _, name = where.partition(", ")[0].rpartition(".")
            assert hasattr(importlib.import_module(module), name) or importlib.util.find_spec(f"{module}.{name}")


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(("kind", "event_of"), RIGHT, ids=lambda value: getattr(value, "__name__", value))
def test_a_source_that_is_right_passes(kind: type[Any], event_of: EventOf, test: str) -> None:
    for run in runs(test, kind(), event_of):
        run()


def test_there_is_a_wrong_source_for_each_rule_that_one_can_break() -> None:
    about = {f"test_{test}" for _, _, test in CAUGHT}
    of_the_suite_itself = {"test_the_example_events_are_what_they_should_be", "test_no_test_is_opted_out_of_silently"}

    of_the_core = {"test_a_wrapper_can_be_put_round_each_hook"}  # a hook with other arguments does not get so far

    assert set(TESTS) - about == of_the_suite_itself | of_the_core
