// challenge.js -- a person's browser meets a challenge: each claim is a function, told what it needs.
//
//     NODE_PATH=.../node_modules node challenge.js ADDRESS FOLDER CLAIM
//
// One line of JSON: what was seen. The script beside it (challenge.py) says what should have been.
'use strict';
const fs = require('fs');
const path = require('path');
const { chromium } = require('playwright-core');

const [address, folder, name] = process.argv.slice(2);
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
	'--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];
const REACHED_MS = 30000;

// A browser with a profile of its own; `settings` are Chromium's content settings (2: blocked).
async function browser(settings = {}, profile = 'profile', options = {}) {
	const where = path.join(folder, profile, 'Default');

	fs.mkdirSync(where, { recursive: true });
	if (!fs.existsSync(path.join(where, 'Preferences')))
		fs.writeFileSync(path.join(where, 'Preferences'), JSON.stringify({ profile: { default_content_setting_values: settings } }));
	return chromium.launchPersistentContext(path.join(folder, profile), {
		executablePath: '/usr/bin/chromium', args: FLAGS, headless: true, baseURL: address, ...options,
	});
}

const shown = (page) => page.textContent('#reached', { timeout: REACHED_MS });

// Goes to a page that is challenged; what the origin answered in the end, and after how long.
async function reach(page, target = '/shop?a=b') {
	const started = Date.now();

	await page.goto(target);
	return { reached: await shown(page), ms: Date.now() - started };
}

async function status(page) {
	await page.waitForFunction(() => !/being checked/.test(document.getElementById('s').textContent), null, { timeout: REACHED_MS });
	return page.textContent('#s');
}

const claims = {
	async solved() {
		const context = await browser(), page = context.pages()[0], faults = [];

		page.on('console', (message) => message.type() === 'error' && !/403/.test(message.text()) && faults.push(message.text()));
		page.on('pageerror', (error) => faults.push(error.message));
		const first = await reach(page), cookies = await context.cookies();
		const second = await reach(page, '/again');

		await context.close();
		return { ...first, faults, again: second.reached, cookies: cookies.map((c) => [c.name.slice(0, 8), c.httpOnly, c.sameSite]) };
	},

	async times() {
		const context = await browser(), ms = [];

		for (let i = 0; i < 8; i++) {
			await context.clearCookies();
			ms.push((await reach(context.pages()[0])).ms);
		}
		await context.close();
		return { ms };
	},

	async post() {
		const context = await browser(), page = context.pages()[0];

		await page.goto('/open/form');
		await page.fill('textarea', 'kept \u00e9 & <b>');
		await page.click('button');
		const reached = await shown(page);

		await context.close();
		return { reached };
	},

	async noScript() {
		const context = await browser({ javascript: 2 });
		const result = await reach(context.pages()[0], '/shop?a=b&c=d');

		await context.close();
		return { ...result, at: context.pages()[0]?.url() };
	},

	async noWorkers() {
		const context = await browser();

		await context.addInitScript(() => { delete window.Worker; });
		const result = await reach(context.pages()[0]);

		await context.close();
		return result;
	},

	async deadWorkers() { // an extension that answers for them, with nothing
		const context = await browser();

		await context.addInitScript(() => { window.Worker = function () { this.postMessage = () => {}; }; });
		const result = await reach(context.pages()[0]);

		await context.close();
		return result;
	},

	async noCookies() {
		const context = await browser({ cookies: 2 }), page = context.pages()[0];
		let loads = 0;

		page.on('load', () => loads++);
		await page.goto('/shop');
		const says = await status(page);

		await page.waitForTimeout(1500);
		await context.close();
		return { says, loads };
	},

	async lostCookie() { // taken, as it seems, and not there: something between us and the browser
		const context = await browser(), page = context.pages()[0];
		let loads = 0;

		await page.route('**/.embergate/verify', async (route) => {
			if (route.request().method() !== 'POST')
				return route.continue();
			const answer = await route.fetch(), headers = { ...answer.headers() };

			delete headers['set-cookie'];
			await context.clearCookies();
			return route.fulfill({ status: answer.status(), headers });
		});
		page.on('load', () => loads++);
		await page.goto('/shop');
		const says = await page.waitForFunction(() => /cookies/.test(document.getElementById('s').textContent) &&
			document.getElementById('s').textContent, null, { timeout: REACHED_MS }).then((h) => h.jsonValue());

		await page.waitForTimeout(1500);
		await context.close();
		return { says, loads };
	},

	async twoTabs() {
		const context = await browser(), pages = [context.pages()[0], await context.newPage(), await context.newPage()];
		const results = await Promise.all(pages.map((page, i) => reach(page, `/tab${i}`)));
		const again = [];

		for (const page of pages)
			again.push((await reach(page, '/after')).reached);
		await context.close();
		return { reached: results.map((r) => r.reached), again };
	},

	async before() {
		const context = await browser({}, 'kept');
		const result = await reach(context.pages()[0]);

		await context.close();
		return result;
	},

	async after() { // the same profile once more; the gate has been started anew meanwhile
		const context = await browser({}, 'kept'), page = context.pages()[0];
		let challenged = 0;

		page.on('response', (r) => { challenged += r.status() === 403; });
		const result = await reach(page);

		await context.close();
		return { ...result, challenged };
	},

	async fetched() { // a script of a page meets a challenge, and says so
		const context = await browser(), page = context.pages()[0];

		await page.goto('/open/form');
		const said = await page.evaluate(async () => {
			const answer = await fetch('/api');

			return [answer.status, answer.headers.get('WAF-Challenge'), (await answer.json()).title];
		});
		const tab = await context.newPage();

		await tab.goto('/.embergate/challenge');
		await tab.waitForFunction(() => /succeeded/.test(document.body.textContent), null, { timeout: REACHED_MS });
		const later = await page.evaluate(async () => (await fetch('/api')).status);

		await context.close();
		return { said, later };
	},

	async german() {
		const context = await browser({}, 'profile', { locale: 'de-DE', javaScriptEnabled: false }), page = context.pages()[0];

		await page.goto('/shop');
		const result = { lang: await page.getAttribute('html', 'lang'), title: await page.title(), role: await page.getAttribute('#s', 'role') };

		await context.close();
		return result;
	},

	async captcha() { // the provider is a script beside the origin
		const context = await browser(), page = context.pages()[0], faults = [];

		page.on('console', (message) => /Content Security Policy/.test(message.text()) && faults.push(message.text()));
		const result = await reach(page, '/person?a=b');

		await context.close();
		return { ...result, faults };
	},
};

claims[name]().then((seen) => console.log(JSON.stringify(seen))).catch((error) => {
	console.error(error.message);
	process.exitCode = 1;
});
