// browser.js -- one claim of claims.js in Chromium.
//
//     NODE_PATH=.../node_modules node browser.js CLAIM FOLDER
//
// The first line of the input is JSON: {base, link, event, shots}. A line "> WORD" of the output is a wish to run.py, which
// answers with a line of JSON. It fails when the page complains in the console, or asks another host for anything.
'use strict';
const path = require('path');
const readline = require('readline');
const { chromium } = require('playwright-core');
const claims = require('./claims.js');

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
const [claim, folder] = process.argv.slice(2);
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async () => JSON.parse((await lines.next()).value);

async function wish(word) {
	console.log(`> ${word}`);
	return next();
}

// What no page of ours does; `expected`: patterns of complaints that a claim provokes.
class Watch {
	constructor(base) {
		this.base = base;
		this.complaints = [];
		this.expected = [/the server responded with a status of 401 .*\/api\/v1\/session$/]; // "who is there?" before the login
		this.packed = 0;    // bytes of bodies, as they came
	}

	context(context) {
		context.setDefaultTimeout(15000);
		context.on('request', (r) => {
			if (!r.url().startsWith(this.base) && !/^(data|blob|chrome-error):/.test(r.url()))
				this.complain(`asks another host: ${r.url()}`);
		});
		context.on('console', (m) => {
			if (m.type() === 'error' || m.type() === 'warning')
				this.complain(`${m.type()}: ${m.text()} at ${m.location().url}`);
		});
		context.on('page', (page) => page.on('pageerror', (e) => this.complain(`throws: ${e.stack ?? e}`)));
		context.on('requestfinished', async (r) => {
			const sizes = await r.sizes().catch(() => null);

			this.packed += sizes ? sizes.responseBodySize : 0;
		});
		return context;
	}

	complain(text) {
		if (!this.expected.some((e) => e.test(text)))
			this.complaints.push(text);
	}

	check() {
		if (this.complaints.length)
			throw new Error([...new Set(this.complaints)].slice(0, 12).join('\n'));
	}
}

async function main() {
	const told = await next();
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS, headless: true });
	const watch = new Watch(told.base);
	const fresh = async (options) => watch.context(await browser.newContext({ baseURL: told.base, ...options }));
	let context;

	try {
		context = await fresh({ viewport: { width: 1440, height: 900 } });
		await claims[claim]({ ...told, browser, context, fresh, watch, wish, folder, page: await context.newPage() });
		watch.check();
	} catch (e) {
		for (const page of context?.pages() ?? []) {
			console.log(`at ${page.url()}`);
			await page.screenshot({ path: path.join('/tmp', `embergate-ui-${claim}.png`) }).catch(() => {});
		}
		console.log(e.stack, watch.complaints.join('\n'));
		process.exitCode = 1;
	} finally {
		await browser.close();
		process.stdin.destroy();
	}
}

main();
