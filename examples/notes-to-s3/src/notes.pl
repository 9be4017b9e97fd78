#!/usr/bin/env perl

# Stores what a POST brings as an object, and gives it back. Behind the stdio bridge: a line on
# standard input is an API Gateway event, the line on standard output is its response.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use MIME::Base64 qw(decode_base64);
use S3;

my $bucket = $ENV{BUCKET} || die "BUCKET is not set\n";
my $json = JSON::PP->new->utf8->canonical;
my $s3 = S3->from_environment;

sub response {
    my ($status, $type, $body, %headers) = @_;
    return { statusCode => $status, headers => { 'Content-Type' => $type, %headers }, body => $body };
}

sub json_response {
    my ($status, $value, %headers) = @_;
    # The body is text within the response, which is encoded as a whole.
    return response($status, 'application/json', JSON::PP->new->canonical->encode($value), %headers);
}

sub header {
    my ($event, $name) = @_;
    my ($found) = grep { lc eq lc $name } keys %{ $event->{headers} || {} };
    return $found ? $event->{headers}{$found} : undef;
}

sub store {
    my ($event) = @_;
    my $body = $event->{body} // '';
    return json_response(400, { message => 'The note is empty' }) if $body eq '';
    if ($event->{isBase64Encoded}) {
        $body = decode_base64($body);
    } else {
        utf8::encode($body);
    }
    my $id = $event->{requestContext}{requestId};
    $s3->put($bucket, "notes/$id", $body, header($event, 'Content-Type') || 'text/plain');
    print STDERR "stored note $id, ", length $body, " bytes\n";
    return json_response(201, { id => $id, bytes => length $body }, Location => $id);
}

sub show {
    my ($id) = @_;
    my ($content, $type) = $id =~ /^[\w-]+$/ ? $s3->get($bucket, "notes/$id") : ();
    return json_response(404, { message => "There is no note $id" }) unless defined $content;
    utf8::decode($content);
    return response(200, $type, $content);
}

sub handle {
    my ($event) = @_;
    my $method = $event->{httpMethod} || '';
    return store($event) if $method eq 'POST';
    return show($event->{pathParameters}{id} // '') if $method eq 'GET';
    return json_response(405, { message => "$method is not served" });
}

$| = 1;
while (my $line = <STDIN>) {
    my $answer = eval { handle($json->decode($line)) };
    # What the bridge takes for a failure of the function.
    $answer ||= { errorType => 'StorageError', errorMessage => $@ };
    print $json->encode($answer), "\n";
}
