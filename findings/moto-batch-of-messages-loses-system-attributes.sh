#!/usr/bin/env bash
# moto 5.2.5 (boto3 1.44.5): SendMessage keeps MessageSystemAttributes, SendMessageBatch drops them without a word. A test
# that sends ten messages with AWSTraceHeader in one request receives ten without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install 'moto[sqs,server]==5.2.5' 'boto3==1.44.5'
seen=$("$folder/env/bin/python" - 2>/dev/null <<'PROGRAM'
import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
server.start()
host, port = server.get_host_and_port()
sqs = boto3.client(
    "sqs",
    endpoint_url=f"http://{host}:{port}",
    region_name="eu-west-1",
    aws_access_key_id="test",
    aws_secret_access_key="test",
)
url = sqs.create_queue(QueueName="orders")["QueueUrl"]
header = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-6893a2b4-aaaabbbbccccddddeeeeffff;Sampled=1"}}
sqs.send_message(QueueUrl=url, MessageBody="alone", MessageSystemAttributes=header)
sqs.send_message_batch(
    QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "in a batch", "MessageSystemAttributes": header}]
)
received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])["Messages"]
for message in sorted(received, key=lambda each: each["Body"]):
    print(message["Body"], "AWSTraceHeader" in message["Attributes"])
server.stop()
PROGRAM
)
[[ $(tail -n 2 <<<"$seen") == $'alone True\nin a batch False' ]]
echo "As seen: the message sent alone has its trace header, the one sent in a batch has none."
