#!/usr/bin/env perl

# The function as a program: lines in, lines out, against a listener that plays S3.

use strict;
use warnings;
use FindBin;
use IO::Socket::INET;
use IPC::Open2;
use JSON::PP;
use Test::More tests => 12;

my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die $!;
my %objects;

# One request; what PUT brings can be had again.
sub serve {
    my ($in) = @_;
    my ($method, $path) = split ' ', scalar <$in>;
    my %headers;
    while ((my $line = <$in>) =~ /^([^:]+):\s*(.*?)\r\n/) { $headers{ lc $1 } = $2 }
    read $in, my $body, $headers{'content-length'} || 0;
    $objects{$path} = $body if $method eq 'PUT' && $headers{authorization} =~ /^AWS4-HMAC-SHA256 /
        && $headers{'x-amz-security-token'} eq 'token';
    my $found = $objects{$path};
    my $answer = $method eq 'PUT' ? '' : $found // 'NoSuchKey';
    my $status = defined $found ? '200 OK' : '404 Not Found';
    print $in "HTTP/1.1 $status\r\nContent-Type: text/plain\r\nConnection: close\r\n",
        'Content-Length: ', length $answer, "\r\n\r\n$answer";
    close $in;
}

my $s3 = fork;
if (!$s3) {
    while (my $client = $listener->accept) { serve($client) }
    exit;
}

$ENV{AWS_ENDPOINT_URL} = 'http://127.0.0.1:' . $listener->sockport;
@ENV{qw(AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN BUCKET)} =
    qw(id secret token notes-1);
my $pid = open2(my $out, my $in, $^X, "$FindBin::Bin/../src/notes.pl");
my $json = JSON::PP->new->utf8;

sub ask {
    my ($event) = @_;
    print $in $json->encode($event), "\n";
    return $json->decode(scalar <$out>);
}

sub post {
    my ($body, %more) = @_;
    return ask({ httpMethod => 'POST', body => $body, requestContext => { requestId => 'r-1' },
        headers => { 'content-type' => 'text/plain' }, %more });
}

my $answer = post("caf\x{e9} \x{263a}");
is($answer->{statusCode}, 201, 'a note is stored');
is($answer->{headers}{Location}, 'r-1', 'under the id of the request');
is($json->decode($answer->{body})->{bytes}, 9, 'as UTF-8');
$answer = ask({ httpMethod => 'GET', pathParameters => { id => 'r-1' } });
is($answer->{statusCode}, 200, 'and can be read');
is($answer->{body}, "caf\x{e9} \x{263a}", 'as it was');
is($answer->{headers}{'Content-Type'}, 'text/plain', 'with its type');
is(post('aGVsbG8=', isBase64Encoded => JSON::PP::true)->{statusCode}, 201, 'base64 is taken');
is(ask({ httpMethod => 'GET', pathParameters => { id => 'r-1' } })->{body}, 'hello', 'and decoded');
is(post('')->{statusCode}, 400, 'an empty note is refused');
is(ask({ httpMethod => 'GET', pathParameters => { id => 'r-2' } })->{statusCode}, 404, 'no such note');
is(ask({ httpMethod => 'GET', pathParameters => { id => '../x' } })->{statusCode}, 404, 'nor such');
kill 'TERM', $s3;
waitpid $s3, 0;
close $listener;
is(post('x')->{errorType}, 'StorageError', 'without S3 the function fails, and says so');
close $in;
