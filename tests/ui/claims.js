// claims.js -- what the dashboard must be and do, each in a browser and before a gate of its own.
'use strict';
const fs = require('fs');
const { axe_source } = require('./barriers.js');
const { packed } = require('./png.js');
const { EVENT, SCREENS, log_in_first, open, password_of, ready, totp } = require('./steps.js');

const FIRST_LOAD_MAX = 60 * 1024; // bytes, gzipped: what a first visit fetches, the overview with its charts

function expect(got, wanted, what = '') {
	if (got !== wanted)
		throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

// The bytes of a first visit, without the API's answers and the map of the world, which waits until it is nearly seen.
exports.first_load = async ({ page, link, context }) => {
	const files = new Map();
	const saw = async (r) => {
		const { pathname } = new URL(r.url());

		if (!pathname.startsWith('/api/') && !pathname.startsWith('/assets/world-'))
			files.set(pathname, (await r.sizes()).responseBodySize);
	};
	const waiting = [];

	context.on('requestfinished', (r) => waiting.push(saw(r)));
	await log_in_first(page, link);
	await page.waitForSelector('.uplot, .empty');
	await ready(page);
	await Promise.all(waiting);
	const total = [...files.values()].reduce((a, b) => a + b, 0);

	console.log(`first load: ${total} bytes in ${files.size} files`);
	if (total > FIRST_LOAD_MAX)
		throw new Error(`more than ${FIRST_LOAD_MAX}: ${JSON.stringify([...files], null, 1)}`);
};

// The link makes an account once, a second factor is turned on and asked for, a wrong one is refused.
exports.first_visit = async ({ page, link, base, fresh, watch }) => {
	await log_in_first(page, link);
	expect(await page.textContent('.person-name b'), 'ada');
	await open(page, '/account');
	await page.click('text=Turn on');
	const secret = (await page.textContent('figure[aria-label=Key] code')).trim();

	await page.fill('label:has-text("Code") input', totp(secret));
	await page.click('button:has-text("Confirm")');
	const recovery = (await page.textContent('figure[aria-label="Recovery codes"] code')).trim().split('\n');

	expect(recovery.length, 10, 'recovery codes');
	await page.click('text=I have them');
	await page.click('button[aria-label="Log out"]');
	await page.waitForSelector('h1:has-text("Log in")');

	watch.expected.push(/status of (401|403|429)/);
	const other = await (await fresh()).newPage();

	await other.goto(link);
	await other.fill('label:has-text("User") input', 'eve');
	for (const label of ['Password', 'Password again'])
		await other.getByLabel(label, { exact: true }).fill(password_of('eve'));
	await other.click('button.primary');
	await other.waitForSelector('[role=alert]');
	expect(await other.locator('.person-name').count(), 0, 'a link works once');

	await other.goto(base);
	await other.fill('label:has-text("User") input', 'ada');
	await other.fill('label:has-text("Password") input', password_of('ada'));
	await other.click('button.primary');
	await other.fill('label:has-text("Code") input', '000000');
	await other.click('button.primary');
	await other.waitForSelector('[role=alert]');
	await other.fill('label:has-text("Code") input', recovery[0]);
	await other.click('button.primary');
	await other.waitForSelector('.person-name');
};

// A viewer is shown nothing that the gate would refuse, and is refused what they try all the same.
exports.roles = async ({ page, link, fresh, watch }) => {
	await log_in_first(page, link);
	await open(page, '/users');
	await page.click('text=Add a user');
	await page.getByLabel('Name', { exact: true }).fill('vera');
	await page.click('text=Make the link');
	const made = (await page.textContent('figure[aria-label*="vera"] code')).trim();
	const viewer = await (await fresh({ viewport: { width: 1440, height: 900 } })).newPage();

	await log_in_first(viewer, made, 'vera');
	expect(await viewer.locator('nav a:has-text("Users")').count(), 0, 'users in the menu');
	await open(viewer, '/decisions');
	await viewer.waitForSelector('.table tbody tr');
	expect(await viewer.locator('button:has-text("Lift"), button:has-text("Import")').count(), 0, 'what only operators may');
	watch.expected.push(/status of 403/);
	const status = await viewer.evaluate(async () => (await fetch('/api/v1/decisions', {
		method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"value":"192.0.2.1","duration":"1h","reason":"x"}',
	})).status);

	expect(status, 403, 'a decision by a viewer');
};

// Every screen says something, at 1440 and 360 wide, light and dark, by axe without a barrier and without a sideways scroll.
exports.screens = async ({ page, link, event }) => {
	await log_in_first(page, link);
	await sees_barriers(page);
	const faults = [];

	for (const theme of ['light', 'dark'])
		for (const width of [1440, 360]) {
			await page.emulateMedia({ colorScheme: theme });
			await page.setViewportSize({ width, height: 900 });
			for (const screen of SCREENS) {
				const where = `${screen} ${theme} ${width}`;

				await open(page, screen.replace(EVENT, event));
				await page.waitForSelector('h1');
				faults.push(...(await barriers_of(page)).map((b) => `${where}: ${b}`));
				const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

				if (over > 0)
					faults.push(`${where}: ${over} pixels too wide`);
				for (const alert of await page.locator('main [role=alert]').allTextContents())
					faults.push(`${where}: says ${alert}`);
			}
		}
	if (faults.length)
		throw new Error(`${faults.length} faults:\n${faults.slice(0, 25).join('\n')}`);
	console.log(`${SCREENS.length} screens, 2 themes, 2 widths: no barrier`);
};

// That nothing is found means something only if something would be.
async function sees_barriers(page) {
	await page.evaluate(() => {
		const bad = document.querySelector('main').appendChild(document.createElement('button'));

		bad.id = 'barrier';
	});
	expect((await barriers_of(page)).some((b) => b.startsWith('button-name') && b.includes('#barrier')), true, 'a button without a name is seen');
	await page.evaluate(() => document.getElementById('barrier').remove());
}

async function barriers_of(page) {
	await page.evaluate(axe_source);
	const { violations } = await page.evaluate(() => window.axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	}));

	return violations.map((v) => `${v.id}: ${v.nodes[0].target} (${v.nodes.length}) ${v.nodes[0].failureSummary?.split('\n').slice(1, 2).join('').trim()}`);
}

// From the event of an article that was held to an exception that lets it pass, by the smallest way; the attack beside it is
// still stopped.
exports.false_positive = async ({ page, link, event, wish }) => {
	expect((await wish('article')).status, 403, 'the article, before');
	await log_in_first(page, link);
	await open(page, `/events/${event}`);
	await page.click('button:has-text("Try with this")');
	await page.waitForSelector('.replayed .note.good');
	await page.click('button:has-text("Accept")');
	await page.getByLabel('Reason').fill('people write about databases here');
	await page.click('button:has-text("Show the change")');
	await page.click('dialog button.primary:has-text("Apply"), dialog button.primary:has-text("Write")');
	await page.waitForSelector('dialog', { state: 'detached' });
	expect((await wish('article')).status, 200, 'the article, after');
	expect((await wish('evil')).status, 403, 'an attack beside it');
	await open(page, `/events/${event}`);
	await page.click('button:has-text("Replay as it is now")');
	expect(await page.textContent('.replayed div:has(dt:text("Now")) .pill'), 'allowed', 'its replay');
};

// Rules in the order that a column's head, or the filter, says; how often one is mistaken is told, or that it is not known.
exports.rules = async ({ page, link }) => {
	await log_in_first(page, link);
	await open(page, '/rules');
	const ids = () => page.locator('.table tbody td.c-id').allTextContents();
	const hits = async () => (await page.locator('.table tbody td.c-hits').allTextContents()).map((t) => Number(t.replace(/\D/g, '')));
	const by_id = await ids();

	expect(by_id.join(), [...by_id].sort().join(), 'by id');
	await page.click('th button:has-text("Hits")');
	await page.waitForFunction((first) => document.querySelector('td.c-id').textContent !== first, by_id[0]);
	const found = await hits();

	expect(found.join(), [...found].sort((a, b) => b - a).join(), 'by hits');
	expect(found[0] > 0, true, 'the first was hit');
	expect(await page.getAttribute('th:has-text("Hits")', 'aria-sort'), 'descending');
	expect(await page.locator('td.c-fp').first().locator('a, .unseen').count(), 1, 'a share, or why there is none');
	await page.getByLabel('Order').selectOption('');
	await page.waitForFunction((first) => document.querySelector('td.c-id').textContent === first, by_id[0]);
};

// What is imported is held, what is lifted is not, and what is looked for is found.
exports.decisions = async ({ page, link }) => {
	await log_in_first(page, link);
	await open(page, '/decisions');
	await page.click('button:has-text("Import")');
	await page.locator('dialog textarea').fill('203.0.113.77\n203.0.113.78 # two\nno address\n');
	await page.click('dialog button[form=decision]');
	await page.waitForSelector('dialog :text("no address")');
	await page.keyboard.press('Escape');
	await page.getByLabel('Search').fill('203.0.113.7');
	await page.waitForFunction(() => document.querySelectorAll('.table tbody tr').length === 2);
	await page.click('button[aria-label="Lift the decision against 203.0.113.77"]');
	await page.click('dialog button:has-text("Lift it")');
	await page.waitForSelector('button[aria-label="Lift the decision against 203.0.113.77"]', { state: 'detached' });
	expect(await page.locator('.table tbody tr').count(), 1, 'the other one is held');
};

// The test box says what the gate would do, and what a rule of one's own would add.
exports.test_box = async ({ page, link }) => {
	await log_in_first(page, link);
	await open(page, '/rules?show=test');
	const outcome = async (target, rule = '') => {
		await page.getByLabel('Path and query').fill(target);
		await page.getByLabel("With this rule beside the app's").fill(rule);
		await Promise.all([page.waitForResponse((r) => r.url().endsWith('/rules/test')), page.click('button:has-text("Try it")')]);
		await ready(page);
		return page.textContent('[role=status] .pill');
	};

	expect(await outcome('/?q=<script>alert(1)</script>'), 'blocked', 'an attack');
	await page.waitForSelector('.hit');
	expect(await outcome('/?q=plain'), 'allowed', 'no attack');
	expect(await page.locator('.hit').count(), 0, 'rules that match');
	expect(await outcome('/?q=ember', 'SecRule ARGS "@contains ember" "id:100001,phase:2,deny,msg:\'An example\'"'), 'blocked', 'by the new rule');
	expect(await page.textContent('.hit-head a'), '100001', 'the new rule');
};

// A receiver is added by a change that is seen before it is written; a test says what came of it.
exports.notifications = async ({ page, link }) => {
	await log_in_first(page, link);
	await open(page, '/notifications');
	await page.waitForSelector(':text("Nobody is told")');
	await page.click('button:has-text("New receiver")');
	await page.getByLabel('URL').fill('http://127.0.0.1:9/hook');
	await page.getByLabel(/^attack/).check();
	await page.click('button:has-text("Show the change")');
	await page.waitForSelector('dialog :text("http://127.0.0.1:9/hook")');
	await page.click('dialog button.primary:has-text("Write")');
	await page.waitForSelector('dialog', { state: 'detached' });
	await page.waitForSelector('td.c-to:has-text("http://127.0.0.1:9/hook")');
	await page.click('button[aria-label="Send a test to http://127.0.0.1:9/hook"]');
	await page.click('dialog button:has-text("Send it")');
	await page.waitForSelector('dialog [role=status]:has-text("Not taken")');
};

// An event that nobody knows is said to be so, and the browser has nothing to complain of.
exports.unknown_event = async ({ page, link, event }) => {
	await log_in_first(page, link);
	for (const id of ['01M87NR722AAAAAAAAAAAAAAAA', event.slice(0, 20)]) {
		await open(page, `/events/${id}`);
		await page.waitForSelector(`:text("No event is known by ${id}")`);
	}
	await open(page, `/events/${event}`);
	await page.waitForSelector('.verdict');
};

// Events come by themselves, and none is missed while another process takes over.
exports.live = async ({ page, link, wish, watch }) => {
	await log_in_first(page, link);
	await open(page, '/events');
	await is_live(page);
	const first = await wish('attack 3');

	await seen(page, first.ids);
	watch.expected.push(/net::ERR_|status of 50/); // the connection ends with the process
	await wish('restart');
	const second = await wish('attack 4');

	await is_live(page);
	await seen(page, [...first.ids, ...second.ids]);
};

// Each filter lets what it names come by itself, and nothing else; what an event tells of its client leads there.
exports.filters = async ({ page, link, wish }) => {
	let n = 0;
	const come = async () => (await wish(`secure ${n++}`)).ids;

	await log_in_first(page, link);
	await open(page, '/events');
	await is_live(page);
	const [id] = await come();
	const told = async (which) => page.evaluate(async (i) => (await fetch(`/api/v1/events/${i}`)).json(), which);

	await seen(page, [id]);
	const { app, action, source, rule, country, as, ja4, path } = await told(id);
	const others = { app: 'blog', action: 'log', source: 'limit', rule: '1', address: '192.0.3.0/24', country: 'JP', as: '64501',
		ja4: 't12', path: '/members', id: '00', q: 'nothing of that' };
	const meant = { app, action, source, rule, address: '192.0.2.0/24', country, as, ja4, path, id: id.slice(0, 2), q: 'shop.example' };

	for (const name of Object.keys(meant)) {
		await open(page, `/events?${new URLSearchParams({ [name]: meant[name] })}`);
		await seen(page, await come());
		await open(page, `/events?${new URLSearchParams({ [name]: others[name] })}`);
		const [hidden] = await come();

		await page.waitForFunction(async (i) => (await (await fetch(`/api/v1/events?id=${i}`)).json()).items.length, hidden);
		await page.waitForTimeout(1200); // rows come twice a second
		expect(await page.locator(`a[href="#/events/${hidden}"]`).count(), 0, `an event beside ${name}=${others[name]}`);
	}
	await open(page, `/events/${id}`);
	await page.click(`a:has-text("${ja4}")`);
	await page.waitForFunction((j) => location.hash === `#/events?ja4=${j}`, ja4);
	await seen(page, await come());
	expect(await page.inputValue('label:has-text("JA4") input'), ja4);
};

// Of two gates that share a Redis: events of the other come by themselves, its part of a mistake is told, and what is wrong there.
exports.gates = async ({ page, link, wish }) => {
	expect((await wish('beside article')).status, 403, 'the article, at the other gate');
	await log_in_first(page, link);
	await open(page, '/events?nodes=all');
	await is_live(page);
	await page.waitForSelector('text=New events of all gates appear');
	for (const id of (await wish('beside attack3')).ids)
		await page.waitForSelector(`a.row-link[href="#/events/${id}?node=there"]`);
	await seen(page, (await wish('attack2')).ids);
	await open(page, '/false-positives?nodes=all');
	await page.waitForSelector('.suggestion:has-text("there: 1 event, to decide")');
	expect((await wish('beside off')).status, 204);
	await open(page, '/');
	await page.waitForSelector('.alarm:has-text("there: shop is not protected")');
	await open(page, '/cluster');
	await page.waitForSelector('tr:has-text("there") td.c-overrides code');
	await open(page, '/false-positives?nodes=all');
	await page.click('.suggestion:has-text("there: 1 event, to decide") button:has-text("Accept")');
	await page.getByLabel('Reason').fill('people write about scripts here');
	await page.click('button:has-text("Show the change")');
	await page.click('dialog button.primary:has-text("Write it")');
	await page.waitForSelector('dialog', { state: 'detached' });
	expect((await wish('beside article')).status, 200, 'the exception holds at the other gate too');
	expect((await wish('beside by hand')).status, 0);
	await open(page, '/cluster');
	await page.click('button:has-text("Take over")');
	await page.click('dialog button.primary:has-text("Write it")');
	await page.waitForSelector('dialog', { state: 'detached' });
	await page.waitForSelector('td.c-overrides:has-text("differs")', { state: 'detached' });
};

const is_live = (page) => page.waitForFunction(() => document.querySelector('.pulse .dot.good'));

async function seen(page, ids) {
	for (const id of ids)
		await page.waitForSelector(`a.row-link[href="#/events/${id}"]`);
}

// Not a claim: every screen as a picture, for the documentation.
exports.screenshots = async ({ page, link, event, shots }) => {
	await page.setViewportSize({ width: 1240, height: 775 });
	await log_in_first(page, link);
	for (const theme of ['light', 'dark'])
		for (const screen of SCREENS) {
			const name = screen === '/' ? 'overview' : screen.slice(1).replace(EVENT, 'detail').replace(/[/?=&.]+/g, '-');

			await page.emulateMedia({ colorScheme: theme });
			await open(page, screen.replace(EVENT, event));
			if (screen.endsWith('=test')) {
				await page.click('button:has-text("Try it")');
				await page.waitForSelector('.hit');
			}
			fs.writeFileSync(`${shots}/${name}-${theme}.png`, packed(await page.screenshot()));
		}
	console.log(`${fs.readdirSync(shots).length} pictures`);
};
