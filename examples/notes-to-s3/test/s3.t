#!/usr/bin/env perl

# Signatures against the published example of Signature Version 4 for S3 (GET with a Range header).

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../src";
use Digest::SHA qw(sha256_hex);
use utf8;
use Test::More tests => 3;
use S3;

my $s3 = bless {
    region => 'us-east-1',
    id => 'AKIAIOSFODNN7EXAMPLE',
    secret => 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}, 'S3';
my %headers = (
    host => 'examplebucket.s3.amazonaws.com',
    range => 'bytes=0-9',
    'x-amz-content-sha256' => sha256_hex(''),
    'x-amz-date' => '20130524T000000Z',
);
my $authorization = $s3->authorization('GET', '/test.txt', \%headers, sha256_hex(''));
like($authorization, qr{Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41$},
    'the example is signed as published');
like($authorization, qr{SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,}, 'signed headers');
is(S3::escape_path('/b/a note+more/ü'), '/b/a%20note%2Bmore/%C3%BC', 'paths are escaped once');
