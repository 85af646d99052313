"""boto3 against a server: of today, or of the time when it spoke AWS Query to SQS. One script serves both."""

import boto3
import boto3_client_tests
import boto3_error_tests
import boto3_resource_tests
import botocore
import walk
from boto3_connection import CALLED
from botocore.session import Session


def facts() -> dict[str, object]:
    model = Session().get_service_model("sqs")
    return {
        "versions": [boto3.__version__, botocore.__version__],
        "protocol": model.protocol,
        "operations": sorted(model.operation_names),
        "called": sorted(CALLED),
    }


if __name__ == "__main__":
    walk.run(boto3_client_tests, boto3_error_tests, boto3_resource_tests, facts=facts)
