'use strict';
/*
 * The Node.js runtime: what runs a handler inside a sandbox.
 *
 * It speaks the Lambda Runtime API over one kept-alive connection to $AWS_LAMBDA_RUNTIME_API.
 * Started without _HANDLER, ahead of need, it does all that can be done without a function, and
 * waits on GET /_wolke/environment, which answers with all environment variables once there is one.
 *
 * Only what Node.js 18 and later have built in. The raw socket, instead of http or fetch, is what
 * makes starts and invocations short.
 */

const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');

const API = '/2018-06-01/runtime/';
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

// Loaded while waiting for a function, because most handlers ask for them sooner or later.
const PRELOADED = ['async_hooks', 'buffer', 'child_process', 'crypto', 'dns', 'events', 'http',
	'https', 'module', 'os', 'querystring', 'stream', 'stream/promises', 'timers/promises', 'tls',
	'url', 'worker_threads', 'zlib'];

/* ---- the Runtime API ---- */

/* HTTP/1.1 to one server over one connection. Requests go out whole, and may go out several at
 * once; answers come back in order. */
class Connection {
	constructor(address) {
		const colon = address.lastIndexOf(':');
		this.host = address.slice(0, colon);
		this.port = Number(address.slice(colon + 1));
		this.hostLine = `Host: ${address}\r\n`;
		this.waiting = [];
		this.socket = null;
		this.last = null;
	}

	connect() {
		this.chunks = [];
		this.size = 0;
		this.need = 0;
		this.head = null;
		this.socket = net.connect({ host: this.host, port: this.port, noDelay: true });
		this.socket.on('data', (chunk) => this.receive(chunk));
		this.socket.on('error', () => {});
		this.socket.on('close', () => this.closed());
	}

	/* A server may have closed the connection while a handler ran for long: then once more. */
	closed() {
		this.socket = null;
		if (this.waiting.length === 0)
			return;
		if (this.last === null)
			process.exit(1);
		const again = this.last;
		this.last = null;
		this.connect();
		this.socket.write(again);
	}

	get(where) {
		return `GET ${where} HTTP/1.1\r\n${this.hostLine}\r\n`;
	}

	post(where, body, more = '') {
		return `POST ${where} HTTP/1.1\r\n${this.hostLine}Content-Type: application/json\r\n` +
			`Content-Length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
	}

	/* Sends text that holds n requests; then(status, headers, body) is called for the last one. */
	exchange(text, n, then) {
		for (let i = 1; i < n; i++)
			this.waiting.push(null);
		this.waiting.push(then);
		if (this.socket === null)
			this.connect();
		this.last = text;
		this.socket.ref();
		this.socket.write(text);
	}

	receive(chunk) {
		this.chunks.push(chunk);
		this.size += chunk.length;
		while (this.size > 0 && this.size >= this.need) {
			const data = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
			const used = this.take(data);
			this.chunks = used < data.length ? [used > 0 ? data.subarray(used) : data] : [];
			this.size = data.length - used;
			if (used === 0)
				break;
		}
	}

	/* Takes the next part of an answer; returns how many bytes that was, 0: more is needed. */
	take(data) {
		if (this.head === null) {
			const end = data.indexOf('\r\n\r\n');
			if (end < 0)
				return 0;
			this.head = parseHead(data.toString('utf8', 0, end));
			this.need = Number(this.head.headers['content-length'] || 0);
			if (this.head.headers['transfer-encoding'] !== undefined)
				this.need = -1;
			this.pieces = [];
			return end + 4 + this.finish(data.subarray(end + 4));
		}
		return this.finish(data);
	}

	finish(data) {
		if (this.need < 0)
			return this.chunked(data);
		if (data.length < this.need)
			return 0;
		const n = this.need;
		this.done(data.toString('utf8', 0, n));
		return n;
	}

	chunked(data) {
		let used = 0;
		for (;;) {
			const line = data.indexOf('\r\n', used);
			if (line < 0)
				return used;
			const n = parseInt(data.toString('latin1', used, line), 16);
			if (data.length < line + 2 + n + 2)
				return used;
			this.pieces.push(data.subarray(line + 2, line + 2 + n));
			used = line + 2 + n + 2;
			if (n === 0) {
				this.done(Buffer.concat(this.pieces).toString('utf8'));
				return used;
			}
		}
	}

	done(body) {
		const { status, headers } = this.head;
		const then = this.waiting.shift();
		this.head = null;
		this.need = 0;
		if (then)
			then(status, headers, body);
	}
}

function parseHead(text) {
	const lines = text.split('\r\n');
	const headers = {};
	for (let i = 1; i < lines.length; i++) {
		const colon = lines[i].indexOf(':');
		headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
	}
	return { status: Number(lines[0].split(' ')[1]), headers };
}

/* ---- errors ---- */

/* The errors that the runtime itself reports, by the names that Lambda gives them. */
class Fault extends Error {
	constructor(name, message) {
		super(message);
		// As of other errors: there, but not among the error's own fields.
		Object.defineProperty(this, 'name', { value: `Runtime.${name}`, configurable: true });
	}
}

class UnhandledPromiseRejection extends Fault {
	constructor(reason, promise) {
		super('UnhandledPromiseRejection', reason);
		this.reason = reason;
		this.promise = promise;
	}
}

function looksLikeError(e) {
	return util.types.isNativeError(e) || (e && typeof e.name === 'string' && e.name !== '' &&
		typeof e.message === 'string' && e.message !== '' && typeof e.stack === 'string');
}

/* What the caller gets for whatever was thrown. */
function errorDocument(e) {
	try {
		if (looksLikeError(e))
			return { errorType: e.name, errorMessage: e.message, trace: e.stack.split('\n') };
		return { errorType: typeof e, errorMessage: e.toString(), trace: [] };
	} catch {
		return {
			errorType: 'handled',
			errorMessage: 'callback called with Error argument, but there was a problem while ' +
				'retrieving one or more of its message, name, and stack',
		};
	}
}

/* An error with all its properties, its own included, on one line; it starts with a tab. */
function errorLine(e) {
	const withProperties = (_key, value) => {
		if (!(value instanceof Error))
			return value;
		const fields = { errorType: value.name, errorMessage: value.message, code: value.code };
		Object.assign(fields, value);
		if (typeof value.stack === 'string')
			fields.stack = value.stack.split('\n');
		return fields;
	};
	try {
		return '\t' + JSON.stringify(e, withProperties);
	} catch {
		return '\t' + JSON.stringify(errorDocument(e));
	}
}

function xrayCause(e) {
	if (!looksLikeError(e))
		return '';
	const stack = [];
	for (const line of e.stack.split('\n').slice(1)) {
		const at = /^\s*at (?:(.+?) \()?(.+?):(\d+):\d+\)?$/.exec(line);
		if (at)
			stack.push({ path: at[2], line: Number(at[3]), label: at[1] || 'anonymous' });
	}
	const text = JSON.stringify({
		working_directory: process.cwd(),
		exceptions: [{ type: e.name, message: e.message, stack }],
		paths: [...new Set(stack.map((s) => s.path))],
	}).replace(/[\u007f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
	return text.length < 32768 ? `Lambda-Runtime-Function-XRay-Error-Cause: ${text}\r\n` : '';
}

/* ---- the log ---- */

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const METHODS = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN',
	error: 'ERROR', fatal: 'FATAL' };
const REQUEST_ID = Symbol.for('aws.lambda.runtime.requestId');
let tenantId;

/* Everything, at once: what is logged must be out when the process is killed the moment after. */
function writeAll(fd, data) {
	let rest = data;
	while (rest.length > 0) {
		try {
			rest = rest.subarray(fs.writeSync(fd, rest));
		} catch (e) {
			if (e.code !== 'EAGAIN')
				throw e;
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
		}
	}
}

function textLine(time, level, args) {
	return `${time}\t${globalThis[REQUEST_ID]}\t${level}\t${util.format(...args)}`;
}

function withError(_key, value) {
	if (!(value instanceof Error))
		return value;
	return { ...errorFields(value), ...value };
}

function errorFields(e) {
	return {
		errorType: e.constructor?.name ?? 'UnknownError',
		errorMessage: e.message,
		stackTrace: typeof e.stack === 'string' ? e.stack.split('\n') : [],
	};
}

function jsonLine(time, level, args) {
	const line = { timestamp: time, level, requestId: globalThis[REQUEST_ID] };
	if (tenantId)
		line.tenantId = tenantId;
	if (args.length === 1) {
		try {
			return JSON.stringify({ ...line, message: args[0] }, withError);
		} catch {
			return JSON.stringify({ ...line, message: util.format(args[0]) });
		}
	}
	line.message = util.format(...args);
	const error = args.find((a) => a instanceof Error);
	return JSON.stringify(error ? { ...line, ...errorFields(error) } : line);
}

/* The descriptor that _LAMBDA_TELEMETRY_LOG_FD names: type, length, time in microseconds, text. */
function frame(kind, level, time, text) {
	const body = Buffer.from(text);
	const head = Buffer.alloc(16);
	head.writeUInt32BE((kind | (LEVELS[level] << 2)) >>> 0, 0);
	head.writeUInt32BE(body.length, 4);
	head.writeBigInt64BE(BigInt(time) * 1000n, 8);
	return Buffer.concat([head, body]);
}

/* console's methods write Lambda's format; returns a function that logs an error. */
function patchConsole() {
	const env = process.env;
	const isJson = env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
	const least = LEVELS[env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? LEVELS.TRACE;
	const fd = env._LAMBDA_TELEMETRY_LOG_FD;
	const format = isJson ? jsonLine : textLine;
	delete env._LAMBDA_TELEMETRY_LOG_FD;

	const log = (level, args) => {
		const now = new Date();
		const line = format(now.toISOString(), level, args);
		if (fd === undefined)
			writeAll(1, Buffer.from(line.replace(/\n/g, '\r') + '\n'));
		else
			writeAll(Number(fd), frame(isJson ? 0xa55a0002 : 0xa55a0003, level, now.getTime(),
				isJson ? line : line + '\n'));
	};
	for (const [method, level] of Object.entries(METHODS))
		console[method] = LEVELS[level] >= least ? (...args) => log(level, args) : () => {};
	return (what, e) => {
		const error = e instanceof Error ? e : new Error(e);
		if (isJson)
			console.error(error);
		else
			console.error(what, errorLine(error));
	};
}

/* ---- the handler ---- */

/* "dir/file.export.nested" -> directory, file, export.nested */
function splitHandler(name) {
	if (name.includes('..'))
		throw new Fault('MalformedHandlerName', `'${name}' is not a valid handler name. Use ` +
			'absolute paths when specifying root directories in handler names.');
	const base = path.basename(name);
	const dot = base.indexOf('.');
	if (dot < 0)
		throw new Fault('MalformedHandlerName', 'Bad handler');
	return [name.slice(0, name.indexOf(base)), base.slice(0, dot), base.slice(dot + 1)];
}

async function loadFile(file) {
	if (file.endsWith('.mjs'))
		return import(file);
	try {
		return require(file);
	} catch (e) {
		// Also what a CommonJS file meets that requires such a module: then import says the same.
		if (e.code !== 'ERR_REQUIRE_ESM' && e.code !== 'ERR_REQUIRE_ASYNC_MODULE')
			throw e;
		return import(file);
	}
}

async function loadModule(root, directory, name) {
	const file = path.resolve(root, directory, name);
	for (const extension of ['', '.js', '.mjs', '.cjs'])
		if (fs.existsSync(file + extension))
			return loadFile(file + extension);
	return require(require.resolve(name, { paths: [root, path.join(root, directory)] }));
}

async function loadHandler(root, name) {
	const [directory, file, exported] = splitHandler(name);
	let module;
	try {
		module = await loadModule(root, directory, file);
	} catch (e) {
		if (e instanceof SyntaxError) {
			const fault = new Fault('UserCodeSyntaxError', String(e));
			fault.stack = e.stack;
			throw fault;
		}
		if (e?.code === 'MODULE_NOT_FOUND' || e?.code === 'ERR_MODULE_NOT_FOUND')
			throw new Fault('ImportModuleError', String(e));
		throw e;
	}
	const find = (object) => exported.split('.').reduce((o, key) => o?.[key], object);
	const handler = find(module) ?? find(module?.default);
	if (!handler)
		throw new Fault('HandlerNotFound', `${name} is undefined or not exported`);
	if (typeof handler !== 'function')
		throw new Fault('HandlerNotFound', `${name} is not a function`);
	return handler;
}

/* From Node.js 24 on a handler with a callback is refused. */
function checkSignature(handler, major) {
	if (major < 24 || handler.length < 3 || handler[STREAMING])
		return;
	throw new Fault('CallbackHandlerDeprecated', 'ERROR: AWS Lambda has removed support for ' +
		'callback-based function handlers starting with Node.js 24. You need to modify this ' +
		'function to use a supported handler signature to use Node.js 24 or later. For more ' +
		'information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
}

function jsonHeader(text, name) {
	if (text === undefined)
		return undefined;
	try {
		return JSON.parse(text);
	} catch (e) {
		throw new Error(`Cannot parse ${name} as json: ${e}`);
	}
}

function contextOf(headers) {
	const env = process.env;
	const deadline = Number(headers['lambda-runtime-deadline-ms']);
	return {
		functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
		functionName: env.AWS_LAMBDA_FUNCTION_NAME,
		memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
		logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
		logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
		clientContext: jsonHeader(headers['lambda-runtime-client-context'], 'ClientContext'),
		identity: jsonHeader(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
		invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
		awsRequestId: headers['lambda-runtime-aws-request-id'],
		tenantId: headers['lambda-runtime-aws-tenant-id'],
		getRemainingTimeInMillis: () => deadline - Date.now(),
	};
}

/* When an invocation's time is up, wolke asks by a signal that nothing else uses. The answer comes
 * only when no JavaScript is running. */
function answerWhere() {
	process.on('SIGSTKFLT', () => {
		const all = process.getActiveResourcesInfo?.() ?? [];
		const counts = {};
		for (const name of all.filter((n) => n !== 'SignalWrap' && n !== 'PipeWrap'))
			counts[name] = (counts[name] ?? 0) + 1;
		const names = Object.entries(counts).map(([n, k]) => (k > 1 ? `${k} ${n}` : n));
		fs.writeSync(2, `wolke-waits-for: ${names.join(', ') || 'nothing: it will never end'}\n`);
	});
}

/* ---- life ---- */

/* Serves invocations one after the other. At any time one of three things is going on: waiting for
 * the next one (the connection keeps the process alive), running the handler (only what the handler
 * started does), or, in a callback handler, waiting for the event loop to become empty. */
class Runtime {
	constructor(connection, logError) {
		this.connection = connection;
		this.logError = logError;
		this.id = null;       // of the invocation being served
		this.whenEmpty = null; // what to do when the event loop is empty
	}

	start(handler, major) {
		this.handler = handler;
		this.major = major;
		this.nextOne = this.connection.get(API + 'invocation/next');
		this.ask('', 0);
	}

	/* Asks for the next invocation; what is to be sent before goes out with it. */
	ask(before, n) {
		this.id = null;
		this.whenEmpty = null;
		this.connection.exchange(before + this.nextOne, n + 1, (status, headers, body) => {
			if (status !== 200)
				process.exit(1);
			this.connection.socket.unref();
			// Stacks have ten frames: the connection's are not to be among them.
			queueMicrotask(() => this.invoke(headers, body));
		});
	}

	invoke(headers, body) {
		const id = this.id = headers['lambda-runtime-aws-request-id'];
		globalThis[REQUEST_ID] = id;
		tenantId = headers['lambda-runtime-aws-tenant-id'];
		setTrace(headers['lambda-runtime-trace-id']);
		try {
			const context = contextOf(headers);
			const event = JSON.parse(body);
			if (this.handler[STREAMING])
				this.runStreaming(id, event, context);
			else if (this.major < 24)
				this.runCallback(id, event, context);
			else
				this.runPromise(id, event, context);
		} catch (e) {
			this.fail(id, e);
		}
	}

	succeed(id, result) {
		if (this.id !== id)
			return;
		let text;
		try {
			text = JSON.stringify(result === undefined ? null : result) ?? 'null';
		} catch {
			const e = new Error('Unable to stringify response body');
			if (this.major >= 24)
				e.name = 'Runtime.JSONStringifyError';
			this.fail(id, e);
			return;
		}
		this.ask(this.connection.post(`${API}invocation/${id}/response`, text), 1);
	}

	fail(id, e) {
		if (this.id !== id)
			return;
		this.logError('Invoke Error', e);
		this.ask(this.errorReport(e), 1);
	}

	errorReport(e) {
		const document = errorDocument(e);
		const where = this.id === null ? 'init/error' : `invocation/${this.id}/error`;
		return this.connection.post(API + where, JSON.stringify(document),
			`Lambda-Runtime-Function-Error-Type: ${document.errorType}\r\n${xrayCause(e)}`);
	}

	/* Reports, and ends the process. */
	die(what, e, code) {
		this.logError(what, e);
		setTimeout(() => process.exit(code), 1000);
		this.connection.exchange(this.errorReport(e), 1, () => process.exit(code));
	}

	/* Node.js 24 and later: what the handler returns, now or later, is the result. */
	async runPromise(id, event, context) {
		this.whenEmpty = () => this.neverSettled(id);
		try {
			this.succeed(id, await this.handler(event, context));
		} catch (e) {
			this.fail(id, e);
		}
	}

	neverSettled(id) {
		this.fail(id, new Fault('NodeJsExit', 'The Lambda runtime client detected an unexpected ' +
			'Node.js exit code. This is most commonly caused by a Promise that was never settled. ' +
			'For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'));
	}

	/* Before Node.js 24: a promise, a callback, or context.succeed, fail and done. The first counts.
	 * A callback's result leaves when the event loop is empty, unless the handler says otherwise. */
	runCallback(id, event, context) {
		let waits = true, finished = false;
		const once = (f) => (...args) => {
			if (finished)
				return;
			finished = true;
			f(...args);
		};
		const isError = (e) => e !== undefined && e !== null;
		const done = (e, result) => (isError(e) ? this.fail(id, e) : this.succeed(id, result));
		const callback = (e, result) => {
			if (isError(e) || !waits)
				done(e, result);
			else
				this.whenEmpty = () => this.succeed(id, result);
		};
		const isAsync = this.handler.constructor.name === 'AsyncFunction';
		Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', {
			enumerable: true, get: () => waits, set: (value) => { waits = value; } });
		context.done = once(done);
		context.succeed = once((result) => done(null, result));
		context.fail = once((e) => done(isError(e) ? e : 'handled'));
		this.whenEmpty = () => {
			finished = true;
			if (isAsync)
				this.neverSettled(id);
			else
				this.succeed(id, null);
		};
		// Kept by value: a handler may replace the context's.
		const { succeed, fail } = context;
		try {
			const result = this.handler(event, context, once(callback));
			if (result && typeof result.then === 'function')
				result.then(succeed, fail);
		} catch (e) {
			once(done)(e);
		}
	}

	runStreaming(id, event, context) {
		const { respond } = require('./streaming.cjs');
		const where = `${API}invocation/${id}/response`;
		const stream = respond(this.connection, where, this.handler[HIGH_WATER_MARK]);
		const end = (e) => {
			if (this.id !== id)
				return;
			if (e !== undefined)
				this.logError('Invoke Error', e);
			if (e !== undefined && !stream.begun)
				this.ask(this.errorReport(e), 1);
			else
				stream.finish(e === undefined ? null : errorDocument(e), () => this.ask('', 0));
		};
		this.whenEmpty = () => end(new Fault('NodeJsExit', 'Response stream is not finished.'));
		const result = this.handler(event, stream, context);
		if (!result || typeof result.then !== 'function') {
			end('Streaming does not support non-async handlers.');
			return;
		}
		result.then(() => (stream.writableEnded ? end() : end('Response stream is not finished.')), end);
	}
}

function setTrace(value) {
	if (value)
		process.env._X_AMZN_TRACE_ID = value;
	else
		delete process.env._X_AMZN_TRACE_ID;
}

/* The global that streaming handlers are made with. */
const awslambda = {
	streamifyResponse(handler, options) {
		handler[STREAMING] = 'response';
		if (options?.highWaterMark !== undefined)
			handler[HIGH_WATER_MARK] = options.highWaterMark;
		return handler;
	},
	get HttpResponseStream() {
		return require('./streaming.cjs').HttpResponseStream;
	},
};

/* Options that only take effect when Node.js starts need a process of its own. */
function startAgain() {
	const options = (process.env.NODE_OPTIONS ?? '').split(/\s+/).filter((o) => o !== '');
	if (options.includes('--enable-source-maps'))
		process.setSourceMapsEnabled(true);
	const late = options.filter((o) => o !== '--enable-source-maps');
	if (late.length === 0 && !process.env.NODE_EXTRA_CA_CERTS)
		return;
	const { status } = require('child_process').spawnSync(process.execPath, [__filename],
		{ stdio: 'inherit', env: process.env, cwd: process.env.LAMBDA_TASK_ROOT });
	process.exit(status ?? 1);
}

/* Waits until this sandbox has a function, and becomes its process. */
function takeEnvironment(connection, then) {
	for (const name of PRELOADED)
		require(name);
	connection.exchange(connection.get('/_wolke/environment'), 1, (status, _headers, body) => {
		if (status !== 200)
			process.exit(1);
		for (const name of Object.keys(process.env))
			delete process.env[name];
		Object.assign(process.env, JSON.parse(body));
		startAgain();
		then();
	});
}

function majorVersion() {
	const named = /nodejs(\d+)\.x$/.exec(process.env.AWS_EXECUTION_ENV ?? '');
	return Number(named ? named[1] : process.versions.node.split('.')[0]);
}

async function begin(connection) {
	const root = process.env.LAMBDA_TASK_ROOT || '/var/task';
	const runtime = new Runtime(connection, patchConsole());
	const major = majorVersion();
	const exported = Object.getOwnPropertyDescriptors(awslambda);
	answerWhere();

	process.on('uncaughtException', (e) => runtime.die('Uncaught Exception', e, 129));
	process.on('unhandledRejection', (reason, promise) => runtime.die('Unhandled Promise Rejection',
		new UnhandledPromiseRejection(reason, promise), 128));
	process.on('beforeExit', () => runtime.whenEmpty?.());
	globalThis.awslambda = Object.defineProperties(globalThis.awslambda ?? {}, exported);
	require('module')._initPaths(); // NODE_PATH may have come with the environment
	if (fs.existsSync(root))
		process.chdir(root);
	try {
		const handler = await loadHandler(root, process.env._HANDLER);
		checkSignature(handler, major);
		runtime.start(handler, major);
	} catch (e) {
		runtime.die('Uncaught Exception', e, 129);
	}
}

const connection = new Connection(process.env.AWS_LAMBDA_RUNTIME_API || '127.0.0.1:9001');
if (process.env._HANDLER === undefined)
	takeEnvironment(connection, () => begin(connection));
else
	begin(connection);
