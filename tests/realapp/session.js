// session.js -- a person's hour in the wiki, in minutes: logs in, writes pages about everything that
// looks like an attack, previews, compares, searches, uploads, changes preferences, uses the API.
//
//     NODE_PATH=.../node_modules node session.js ADDRESS FOLDER
//
// FOLDER is for the browser's profile and the files to upload. One line a step; the last line is
// JSON: how many answers came, and which of them a visitor of a wiki should not have seen.
'use strict';
const path = require('path');
const { chromium } = require('playwright-core');
const { steps } = require('./steps.js');

const [address, folder, user, password] = process.argv.slice(2);
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];

// What the application itself answers in this session, apart from 200 and redirects.
const EXPECTED = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308, 404]);

// Everything that the browser and the API client were answered.
class Answers {
	constructor() {
		this.count = 0;
		this.odd = [];
	}

	saw(method, url, status, headers) {
		if (!url.startsWith(address)) // blob: and data: are the page's own
			return;
		this.count++;
		if (!EXPECTED.has(status) || !headers['x-request-id'])
			this.odd.push(`${status} ${method} ${url} (request ${headers['x-request-id'] || 'without id'})`);
	}
}

async function main() {
	const context = await chromium.launchPersistentContext(path.join(folder, 'profile'), {
		executablePath: '/usr/bin/chromium', args: FLAGS, headless: true, baseURL: address,
		viewport: { width: 1200, height: 900 }, acceptDownloads: true,
	});
	const answers = new Answers();

	context.setDefaultTimeout(20000);
	context.on('response', (r) => answers.saw(r.request().method(), r.url(), r.status(), r.headers()));
	try {
		await run(context, answers);
	} finally {
		console.log(JSON.stringify(answers));
		await context.close();
	}
}

async function run(context, answers) {
	const visitor = {
		context, folder, user, password, page: context.pages()[0] || await context.newPage(),
		saw: (method, r) => answers.saw(method, r.url(), r.status(), r.headers()),
	};

	visitor.page.on('dialog', (dialog) => dialog.accept().catch(() => {}));
	for (const step of steps) {
		const started = Date.now();

		try {
			await step(visitor);
		} catch (error) {
			const text = await visitor.page.textContent('body').catch(() => '');

			await visitor.page.screenshot({ path: path.join(folder, 'failed.png') }).catch(() => {});
			throw new Error(`${step.name}: ${error.message}\nat ${visitor.page.url()}\n${text.trim().slice(0, 600)}`);
		}
		console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${claim(step.name)}`);
	}
}

// uploadsFiles -> uploads files
function claim(name) {
	return name.replace(/[A-Z]/g, (letter) => ' ' + letter.toLowerCase());
}

main().catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
