package S3;

# The two S3 calls that the notes need, signed with Signature Version 4. Perl's own modules only.

use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use HTTP::Tiny;
use POSIX qw(strftime);

# A function's credentials, region and endpoint are in its environment, and last as long as it does.
sub from_environment {
    my ($class) = @_;
    my $region = $ENV{AWS_REGION} || 'us-east-1';
    return bless {
        region => $region,
        endpoint => $ENV{AWS_ENDPOINT_URL_S3} || $ENV{AWS_ENDPOINT_URL}
            || "https://s3.$region.amazonaws.com",
        id => $ENV{AWS_ACCESS_KEY_ID},
        secret => $ENV{AWS_SECRET_ACCESS_KEY},
        token => $ENV{AWS_SESSION_TOKEN},
        http => HTTP::Tiny->new(timeout => 10),
    }, $class;
}

# Everything but A-Z a-z 0-9 - . _ ~ and, in a path, / is escaped.
sub escape_path {
    my ($path) = @_;
    utf8::encode($path) if utf8::is_utf8($path);
    $path =~ s{([^A-Za-z0-9\-._~/])}{sprintf '%%%02X', ord $1}ge;
    return $path;
}

# The Authorization header of a request: method, path (escaped), headers, SHA-256 of the body.
sub authorization {
    my ($self, $method, $path, $headers, $body_hash) = @_;
    my $time = $headers->{'x-amz-date'};
    my $date = substr $time, 0, 8;
    my $scope = join '/', $date, $self->{region}, 's3', 'aws4_request';

    my @names = sort keys %$headers;
    my $signed = join ';', @names;
    my $request = join "\n", $method, $path, '', (map { "$_:$headers->{$_}" } @names), '', $signed,
        $body_hash;
    my $to_sign = join "\n", 'AWS4-HMAC-SHA256', $time, $scope, sha256_hex($request);

    my $key = "AWS4$self->{secret}";
    $key = hmac_sha256($_, $key) for split m{/}, $scope;
    my $signature = hmac_sha256_hex($to_sign, $key);
    return "AWS4-HMAC-SHA256 Credential=$self->{id}/$scope,SignedHeaders=$signed,"
        . "Signature=$signature";
}

sub call {
    my ($self, $method, $bucket, $key, $body, $type) = @_;
    my ($host) = $self->{endpoint} =~ m{^https?://([^/]+)};
    my $path = escape_path("/$bucket/$key");
    my %headers = (
        host => $host,
        'x-amz-date' => strftime('%Y%m%dT%H%M%SZ', gmtime),
        'x-amz-content-sha256' => sha256_hex($body),
    );
    $headers{'x-amz-security-token'} = $self->{token} if $self->{token};
    $headers{'content-type'} = $type if $type;
    my $authorization = $self->authorization($method, $path, \%headers, sha256_hex($body));

    delete $headers{host};    # HTTP::Tiny sends its own
    return $self->{http}->request($method, "$self->{endpoint}$path",
        { headers => { %headers, authorization => $authorization }, content => $body });
}

sub put {
    my ($self, $bucket, $key, $body, $type) = @_;
    my $answer = $self->call('PUT', $bucket, $key, $body, $type);
    die "PutObject $key: $answer->{status} $answer->{content}\n" unless $answer->{success};
}

# (content, content type), or nothing where there is no such object.
sub get {
    my ($self, $bucket, $key) = @_;
    my $answer = $self->call('GET', $bucket, $key, '');
    return if $answer->{status} == 404;
    die "GetObject $key: $answer->{status} $answer->{content}\n" unless $answer->{success};
    return ($answer->{content}, $answer->{headers}{'content-type'});
}

1;
