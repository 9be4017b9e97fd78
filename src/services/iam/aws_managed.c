/*
 * aws_managed: the policies of AWS that people attach to what they run here. Facts of AWS, one
 * line of the table each; documents as short as their meaning allows.
 */
#include "services/iam/managed.h"

#define DOCUMENT(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(actions)       "{\"Effect\":\"Allow\",\"Action\":[" actions "],\"Resource\":\"*\"}"
#define LOGS                                                \
	"\"logs:CreateLogGroup\",\"logs:CreateLogStream\"," \
	"\"logs:PutLogEvents\""
#define PASS(service)                                                                          \
	",{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\",\"Resource\":\"*\",\"Condition\":" \
	"{\"StringEquals\":{\"iam:PassedToService\":\"" service "\"}}}"
#define XRAY                                                                                \
	"\"xray:PutTraceSegments\",\"xray:PutTelemetryRecords\",\"xray:GetSamplingRules\"," \
	"\"xray:GetSamplingTargets\",\"xray:GetSamplingStatisticSummaries\""
#define VPC                                                                       \
	"\"ec2:CreateNetworkInterface\",\"ec2:DescribeNetworkInterfaces\",\"ec2:" \
	"DescribeSubnets\","                                                      \
	"\"ec2:DeleteNetworkInterface\",\"ec2:AssignPrivateIpAddresses\","        \
	"\"ec2:UnassignPrivateIpAddresses\""

#define POLICY(the_path, the_name, the_version, statements)                               \
	{                                                                                 \
		.path = S_INIT(the_path), .name = S_INIT(the_name),                       \
		.version = S_INIT(the_version), .document = S_INIT(DOCUMENT(statements)), \
	}
#define ROLE "/service-role/"

static const struct iam_aws_policy table[] = {
	POLICY("/", "AdministratorAccess", "v1", ALLOW("\"*\"")),
	POLICY("/", "PowerUserAccess", "v5",
	        "{\"Effect\":\"Allow\",\"NotAction\":[\"iam:*\",\"organizations:*\",\"account:*\"],"
	        "\"Resource\":\"*\"}," ALLOW(
	                "\"account:GetAccountInformation\",\"account:GetPrimaryEmail\","
	                "\"account:ListRegions\",\"iam:CreateServiceLinkedRole\","
	                "\"iam:DeleteServiceLinkedRole\",\"iam:ListRoles\","
	                "\"organizations:DescribeOrganization\"")),
	POLICY("/", "ReadOnlyAccess", "v150",
	        ALLOW("\"apigateway:GET\",\"cloudformation:Describe*\",\"cloudformation:Get*\","
	              "\"cloudformation:List*\",\"cloudwatch:Describe*\",\"cloudwatch:Get*\","
	              "\"cloudwatch:List*\",\"cognito-identity:Describe*\","
	              "\"cognito-identity:Get*\",\"cognito-identity:List*\","
	              "\"cognito-idp:AdminGet*\",\"cognito-idp:AdminList*\","
	              "\"cognito-idp:Describe*\",\"cognito-idp:Get*\",\"cognito-idp:List*\","
	              "\"dynamodb:BatchGet*\",\"dynamodb:Describe*\",\"dynamodb:Get*\","
	              "\"dynamodb:List*\",\"dynamodb:PartiQLSelect\",\"dynamodb:Query\","
	              "\"dynamodb:Scan\",\"events:Describe*\",\"events:List*\","
	              "\"events:Test*\",\"firehose:Describe*\",\"firehose:List*\",\"iam:Generate*"
	              "\","
	              "\"iam:Get*\",\"iam:List*\",\"iam:Simulate*\",\"kinesis:Describe*\","
	              "\"kinesis:Get*\",\"kinesis:List*\",\"kms:Describe*\",\"kms:Get*\","
	              "\"kms:List*\",\"lambda:Get*\",\"lambda:List*\",\"logs:Describe*\","
	              "\"logs:FilterLogEvents\",\"logs:Get*\",\"logs:List*\",\"logs:StartQuery\","
	              "\"logs:StopQuery\",\"logs:TestMetricFilter\",\"pipes:Describe*\","
	              "\"pipes:List*\",\"s3:DescribeJob\",\"s3:Get*\",\"s3:List*\","
	              "\"scheduler:Get*\",\"scheduler:List*\",\"secretsmanager:Describe*\","
	              "\"secretsmanager:GetResourcePolicy\",\"secretsmanager:List*\",\"sns:Get*\","
	              "\"sns:List*\",\"sqs:Get*\",\"sqs:List*\",\"sqs:Receive*\",\"ssm:Describe*\","
	              "\"ssm:Get*\",\"ssm:List*\",\"states:Describe*\",\"states:Get*\","
	              "\"states:List*\",\"sts:GetAccessKeyInfo\",\"sts:GetCallerIdentity\","
	              "\"sts:GetSessionToken\",\"tag:Get*\",\"xray:BatchGet*\",\"xray:Get*\"")),
	POLICY("/job-function/", "ViewOnlyAccess", "v20",
	        ALLOW("\"cloudformation:DescribeStacks\",\"cloudformation:List*\","
	              "\"cloudwatch:Describe*\",\"cloudwatch:Get*\",\"cloudwatch:List*\","
	              "\"dynamodb:ListTables\",\"events:Describe*\",\"events:List*\",\"iam:Get*\","
	              "\"iam:List*\",\"kinesis:List*\",\"lambda:List*\",\"logs:Describe*\","
	              "\"s3:ListAllMyBuckets\",\"s3:ListBucket\",\"sns:List*\",\"sqs:ListQueues\","
	              "\"states:List*\"")),
	POLICY("/", "IAMFullAccess", "v2",
	        ALLOW("\"iam:*\",\"organizations:DescribeAccount\","
	              "\"organizations:DescribeOrganization\",\"organizations:ListPolicies\"")),
	POLICY("/", "IAMReadOnlyAccess", "v4",
	        ALLOW("\"iam:GenerateCredentialReport\",\"iam:GenerateServiceLastAccessedDetails\","
	              "\"iam:Get*\",\"iam:List*\",\"iam:SimulateCustomPolicy\","
	              "\"iam:SimulatePrincipalPolicy\"")),
	POLICY("/", "IAMUserChangePassword", "v2",
	        "{\"Effect\":\"Allow\",\"Action\":[\"iam:ChangePassword\"],\"Resource\":"
	        "[\"arn:aws:iam::*:user/${aws:username}\"]}," ALLOW(
	                "\"iam:GetAccountPasswordPolicy\"")),
	POLICY(ROLE, "AWSLambdaBasicExecutionRole", "v1", ALLOW(LOGS)),
	POLICY(ROLE, "AWSLambdaVPCAccessExecutionRole", "v3", ALLOW(LOGS "," VPC)),
	POLICY(ROLE, "AWSLambdaENIManagementAccess", "v2", ALLOW(VPC)),
	POLICY(ROLE, "AWSLambdaSQSQueueExecutionRole", "v1",
	        ALLOW("\"sqs:ReceiveMessage\",\"sqs:DeleteMessage\",\"sqs:"
	              "GetQueueAttributes\"," LOGS)),
	POLICY(ROLE, "AWSLambdaKinesisExecutionRole", "v3",
	        ALLOW("\"kinesis:DescribeStream\",\"kinesis:DescribeStreamSummary\","
	              "\"kinesis:GetRecords\",\"kinesis:GetShardIterator\",\"kinesis:ListShards\","
	              "\"kinesis:ListStreams\",\"kinesis:SubscribeToShard\"," LOGS)),
	POLICY(ROLE, "AWSLambdaDynamoDBExecutionRole", "v1",
	        ALLOW("\"dynamodb:DescribeStream\",\"dynamodb:GetRecords\","
	              "\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\"," LOGS)),
	POLICY(ROLE, "AWSLambdaRole", "v1", ALLOW("\"lambda:InvokeFunction\"")),
	POLICY("/", "AWSLambdaExecute", "v1",
	        "{\"Effect\":\"Allow\",\"Action\":[\"logs:*\"],\"Resource\":\"arn:aws:logs:*:*:*\"}"
	        ","
	        "{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\"],\"Resource\":"
	        "\"arn:aws:s3:::*\"}"),
	POLICY("/", "AWSLambdaInvocation-DynamoDB", "v1",
	        ALLOW("\"lambda:InvokeFunction\",\"dynamodb:DescribeStream\",\"dynamodb:"
	              "GetRecords\","
	              "\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\"")),
	POLICY("/", "AWSLambda_FullAccess", "v1",
	        ALLOW("\"cloudformation:DescribeStacks\",\"cloudformation:ListStackResources\","
	              "\"cloudwatch:ListMetrics\",\"cloudwatch:GetMetricData\","
	              "\"ec2:DescribeSecurityGroups\",\"ec2:DescribeSubnets\",\"ec2:DescribeVpcs\","
	              "\"kms:ListAliases\",\"iam:GetPolicy\",\"iam:GetPolicyVersion\",\"iam:"
	              "GetRole\","
	              "\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicies\","
	              "\"iam:ListRolePolicies\",\"iam:ListRoles\",\"lambda:*\","
	              "\"logs:DescribeLogGroups\",\"states:DescribeStateMachine\","
	              "\"states:ListStateMachines\",\"tag:GetResources\",\"xray:"
	              "GetTraceSummaries\","
	              "\"xray:BatchGetTraces\"")
	                PASS("lambda.amazonaws.com") ",{\"Effect\":\"Allow\",\"Action\":[\"logs:"
	                                             "DescribeLogStreams\",\"logs:GetLogEvents\","
	                                             "\"logs:FilterLogEvents\",\"logs:"
	                                             "StartLiveTail\",\"logs:StopLiveTail\"],"
	                                             "\"Resource\":\"arn:aws:logs:*:*:log-group:/"
	                                             "aws/lambda/*\"}"),
	POLICY("/", "AWSLambda_ReadOnlyAccess", "v2",
	        ALLOW("\"cloudformation:DescribeStacks\",\"cloudformation:ListStackResources\","
	              "\"cloudwatch:GetMetricData\",\"cloudwatch:ListMetrics\",\"iam:GetPolicy\","
	              "\"iam:GetPolicyVersion\",\"iam:GetRole\",\"iam:GetRolePolicy\","
	              "\"iam:ListAttachedRolePolicies\",\"iam:ListRolePolicies\",\"iam:ListRoles\","
	              "\"lambda:Get*\",\"lambda:List*\",\"logs:DescribeLogGroups\","
	              "\"states:DescribeStateMachine\",\"states:ListStateMachines\","
	              "\"tag:GetResources\",\"xray:BatchGetTraces\",\"xray:GetTraceSummaries\"")),
	POLICY("/", "AWSXRayDaemonWriteAccess", "v2", ALLOW(XRAY)),
	POLICY("/", "AWSXrayWriteOnlyAccess", "v2", ALLOW(XRAY)),
	POLICY("/", "AWSXrayFullAccess", "v1", ALLOW("\"xray:*\"")),
	POLICY("/", "AmazonS3FullAccess", "v2", ALLOW("\"s3:*\",\"s3-object-lambda:*\"")),
	POLICY("/", "AmazonS3ReadOnlyAccess", "v3",
	        ALLOW("\"s3:Get*\",\"s3:List*\",\"s3:Describe*\",\"s3-object-lambda:Get*\","
	              "\"s3-object-lambda:List*\"")),
	POLICY("/", "AmazonDynamoDBFullAccess", "v15",
	        ALLOW("\"dynamodb:*\",\"dax:*\",\"application-autoscaling:*\",\"cloudwatch:*\","
	              "\"iam:GetRole\",\"iam:ListRoles\",\"kms:DescribeKey\",\"kms:ListAliases\","
	              "\"sns:CreateTopic\",\"sns:DeleteTopic\",\"sns:ListSubscriptions\","
	              "\"sns:ListSubscriptionsByTopic\",\"sns:ListTopics\",\"sns:Subscribe\","
	              "\"sns:Unsubscribe\",\"sns:SetTopicAttributes\",\"lambda:CreateFunction\","
	              "\"lambda:ListFunctions\",\"lambda:ListEventSourceMappings\","
	              "\"lambda:CreateEventSourceMapping\",\"lambda:DeleteEventSourceMapping\","
	              "\"lambda:GetFunctionConfiguration\",\"lambda:DeleteFunction\","
	              "\"kinesis:ListStreams\",\"kinesis:DescribeStream\","
	              "\"kinesis:DescribeStreamSummary\"")),
	POLICY("/", "AmazonDynamoDBFullAccess_v2", "v1", ALLOW("\"dynamodb:*\"")),
	POLICY("/", "AmazonDynamoDBReadOnlyAccess", "v14",
	        ALLOW("\"dynamodb:BatchGetItem\",\"dynamodb:Describe*\",\"dynamodb:List*\","
	              "\"dynamodb:GetAbacStatus\",\"dynamodb:GetItem\",\"dynamodb:"
	              "GetResourcePolicy\","
	              "\"dynamodb:Query\",\"dynamodb:Scan\",\"dynamodb:PartiQLSelect\","
	              "\"cloudwatch:DescribeAlarmHistory\",\"cloudwatch:DescribeAlarms\","
	              "\"cloudwatch:GetMetricStatistics\",\"cloudwatch:ListMetrics\","
	              "\"iam:GetRole\",\"iam:ListRoles\",\"sns:ListTopics\"")),
	POLICY("/", "AmazonSQSFullAccess", "v1", ALLOW("\"sqs:*\"")),
	POLICY("/", "AmazonSQSReadOnlyAccess", "v2",
	        ALLOW("\"sqs:GetQueueAttributes\",\"sqs:GetQueueUrl\","
	              "\"sqs:ListDeadLetterSourceQueues\",\"sqs:ListQueues\","
	              "\"sqs:ListMessageMoveTasks\",\"sqs:ListQueueTags\"")),
	POLICY("/", "AmazonSNSFullAccess", "v1", ALLOW("\"sns:*\"")),
	POLICY("/", "AmazonSNSReadOnlyAccess", "v1",
	        ALLOW("\"sns:GetTopicAttributes\",\"sns:List*\"")),
	POLICY("/", "AmazonKinesisFullAccess", "v1", ALLOW("\"kinesis:*\"")),
	POLICY("/", "AmazonKinesisReadOnlyAccess", "v1",
	        ALLOW("\"kinesis:Get*\",\"kinesis:List*\",\"kinesis:Describe*\"")),
	POLICY("/", "CloudWatchLogsFullAccess", "v2",
	        ALLOW("\"logs:*\",\"cloudwatch:GenerateQuery\"")),
	POLICY("/", "CloudWatchLogsReadOnlyAccess", "v8",
	        ALLOW("\"logs:Describe*\",\"logs:Get*\",\"logs:List*\",\"logs:StartQuery\","
	              "\"logs:StopQuery\",\"logs:TestMetricFilter\",\"logs:FilterLogEvents\","
	              "\"logs:StartLiveTail\",\"logs:StopLiveTail\",\"cloudwatch:GenerateQuery\"")),
	POLICY("/", "CloudWatchFullAccess", "v5",
	        ALLOW("\"autoscaling:Describe*\",\"cloudwatch:*\",\"logs:*\",\"sns:*\","
	              "\"iam:GetPolicy\",\"iam:GetPolicyVersion\",\"iam:GetRole\"")),
	POLICY("/", "CloudWatchLambdaInsightsExecutionRolePolicy", "v1",
	        "{\"Effect\":\"Allow\",\"Action\":\"logs:CreateLogGroup\",\"Resource\":\"*\"},"
	        "{\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],"
	        "\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/lambda-insights:*\"}"),
	POLICY("/", "AmazonAPIGatewayAdministrator", "v1",
	        "{\"Effect\":\"Allow\",\"Action\":[\"apigateway:*\"],\"Resource\":"
	        "\"arn:aws:apigateway:*::/*\"}"),
	POLICY("/", "AmazonAPIGatewayInvokeFullAccess", "v1",
	        "{\"Effect\":\"Allow\",\"Action\":[\"execute-api:Invoke\","
	        "\"execute-api:ManageConnections\"],\"Resource\":\"arn:aws:execute-api:*:*:*\"}"),
	POLICY(ROLE, "AmazonAPIGatewayPushToCloudWatchLogs", "v1",
	        ALLOW("\"logs:CreateLogGroup\",\"logs:CreateLogStream\",\"logs:DescribeLogGroups\","
	              "\"logs:DescribeLogStreams\",\"logs:PutLogEvents\",\"logs:GetLogEvents\","
	              "\"logs:FilterLogEvents\"")),
	POLICY("/", "AWSStepFunctionsFullAccess", "v1", ALLOW("\"states:*\"")),
	POLICY("/", "AWSStepFunctionsReadOnlyAccess", "v2",
	        ALLOW("\"states:ListStateMachines\",\"states:ListActivities\","
	              "\"states:DescribeStateMachine\",\"states:DescribeStateMachineForExecution\","
	              "\"states:ListExecutions\",\"states:DescribeExecution\","
	              "\"states:GetExecutionHistory\",\"states:DescribeActivity\"")),
	POLICY("/", "AWSStepFunctionsConsoleFullAccess", "v2",
	        ALLOW("\"states:*\",\"iam:ListRoles\",\"lambda:ListFunctions\"")),
	POLICY("/", "AmazonEventBridgeFullAccess", "v3",
	        ALLOW("\"events:*\",\"schemas:*\",\"scheduler:*\",\"pipes:*\"")
	                PASS("events.amazonaws.com") PASS("scheduler.amazonaws.com")
	                        PASS("pipes.amazonaws.com")),
	POLICY("/", "AmazonEventBridgeReadOnlyAccess", "v5",
	        ALLOW("\"events:Describe*\",\"events:List*\",\"events:TestEventPattern\","
	              "\"schemas:Describe*\",\"schemas:Get*\",\"schemas:List*\",\"schemas:Search*"
	              "\","
	              "\"scheduler:Get*\",\"scheduler:List*\",\"pipes:Describe*\",\"pipes:List*"
	              "\"")),
	POLICY("/", "AmazonEventBridgeSchedulerFullAccess", "v1",
	        ALLOW("\"scheduler:*\"") PASS("scheduler.amazonaws.com")),
	POLICY("/", "SecretsManagerReadWrite", "v5",
	        ALLOW("\"secretsmanager:*\",\"kms:DescribeKey\",\"kms:ListAliases\",\"kms:"
	              "ListKeys\","
	              "\"lambda:ListFunctions\",\"tag:GetResources\"")),
	POLICY("/", "AmazonSSMFullAccess", "v4",
	        ALLOW("\"cloudwatch:PutMetricData\",\"logs:*\",\"ssm:*\",\"ec2messages:*\"")),
	POLICY("/", "AmazonSSMReadOnlyAccess", "v1",
	        ALLOW("\"ssm:Describe*\",\"ssm:Get*\",\"ssm:List*\"")),
	POLICY("/", "AmazonCognitoPowerUser", "v6",
	        ALLOW("\"cognito-identity:*\",\"cognito-idp:*\",\"cognito-sync:*\",\"iam:"
	              "ListRoles\","
	              "\"iam:ListOpenIdConnectProviders\",\"iam:GetRole\",\"sns:"
	              "ListPlatformApplications\"")),
	POLICY("/", "AWSCloudFormationFullAccess", "v1", ALLOW("\"cloudformation:*\"")),
	POLICY("/", "AWSCloudFormationReadOnlyAccess", "v1",
	        ALLOW("\"cloudformation:Describe*\",\"cloudformation:EstimateTemplateCost\","
	              "\"cloudformation:Get*\",\"cloudformation:List*\","
	              "\"cloudformation:ValidateTemplate\",\"cloudformation:Detect*\"")),
};

const struct iam_aws_policy *iam_aws_policies(size_t *n)
{
	*n = ARRAY_LEN(table);
	return table;
}
