'use strict';
/*
 * Response streaming: the stream that a handler made with awslambda.streamifyResponse writes to.
 * What it writes leaves at once, as a chunk of the report's body. Loaded when first needed.
 */

const { Writable } = require('stream');

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

class ResponseStream extends Writable {
	constructor(connection, where, highWaterMark) {
		super(highWaterMark === undefined ? {} : { highWaterMark });
		this.connection = connection;
		this.where = where;
		this.type = 'application/octet-stream';
		this.begun = false;
		this.answered = false;
	}

	setContentType(type) {
		this.type = type;
	}

	/* The head of the report; the answer to it comes after its last chunk. */
	begin() {
		if (this.begun)
			return;
		this.begun = true;
		const head = `POST ${this.where} HTTP/1.1\r\n${this.connection.hostLine}` +
			`Content-Type: ${this.type}\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n` +
			'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n' +
			'Transfer-Encoding: chunked\r\n\r\n';
		this.connection.exchange(head, 1, () => {
			this.answered = true;
			this.whenAnswered?.();
		});
		this.connection.last = null; // cannot be sent once more
	}

	_write(chunk, encoding, callback) {
		const data = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
		this.begin();
		if (data.length === 0) {
			callback();
			return;
		}
		const { socket } = this.connection;
		socket.write(`${data.length.toString(16)}\r\n`);
		socket.write(data);
		socket.write('\r\n', callback);
	}

	/* The last chunk, with the error, if there is one, behind it. */
	finish(error, then) {
		this.begin();
		let trailer = '';
		if (error)
			trailer = `Lambda-Runtime-Function-Error-Type: ${error.errorType}\r\n` +
				'Lambda-Runtime-Function-Error-Body: ' +
				`${Buffer.from(JSON.stringify(error)).toString('base64')}\r\n`;
		const last = () => {
			this.whenAnswered = then;
			this.connection.socket.write(`0\r\n${trailer}\r\n`);
			if (this.answered)
				then();
		};
		if (this.writableFinished || this.destroyed) {
			last();
			return;
		}
		this.once('finish', last);
		this.end();
	}
}

/* Status, headers and cookies go before the body: JSON, then eight zero bytes. */
class HttpResponseStream {
	static from(stream, prelude) {
		stream.setContentType(PRELUDE_TYPE);
		stream.write(JSON.stringify(prelude));
		stream.write(new Uint8Array(8));
		return stream;
	}
}

module.exports = {
	respond: (connection, where, highWaterMark) =>
		new ResponseStream(connection, where, highWaterMark),
	HttpResponseStream,
};
