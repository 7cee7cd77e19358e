// steps.js -- what all claims do: log in, open a screen, wait until nothing moves.
'use strict';
const crypto = require('crypto');

exports.EVENT = 'EVENT';
exports.SCREENS = ['/', '/events', '/events/EVENT', '/false-positives', '/apps', '/apps/shop', '/decisions', '/decisions?show=allowed',
	'/clients/198.51.100.9', '/alerts', '/lists', '/bots', '/rules', '/rules?show=scenarios', '/rules?show=test', '/config', '/notifications',
	'/cluster', '/certs', '/audit', '/users', '/account', '/privacy'];

exports.password_of = (user) => `a long password of ${user}`;

// By the link of a first visit.
exports.log_in_first = async (page, link, user = 'ada') => {
	await page.goto(link);
	const name = page.getByLabel('User', { exact: true });

	if (await name.isEditable()) // not where the link is somebody's
		await name.fill(user);
	for (const label of [/^Password(?! again)/, /^Password again/])
		await page.getByLabel(label).fill(exports.password_of(user));
	await page.click('button.primary');
	await page.waitForSelector('.person-name');
	await exports.ready(page);
};

exports.open = async (page, screen) => {
	await page.evaluate((hash) => (location.hash = hash), `#${screen}`);
	await page.waitForFunction((hash) => location.hash === hash, `#${screen}`);
	await exports.ready(page);
};

// The screen is there, and none of it is a place that waits for data.
exports.ready = async (page) => {
	await page.waitForSelector('h1');
	await page.waitForFunction(() => !document.querySelector('.skeleton'));
	await page.waitForTimeout(250);
};

// RFC 6238 with what every authenticator takes: SHA-1, 30 s, six digits.
exports.totp = (secret) => {
	const bits = [...secret.replace(/[\s=]/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
	const counter = Buffer.alloc(8);

	counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
	const hash = crypto.createHmac('sha1', key).update(counter).digest(), at = hash[19] & 15;

	return String((hash.readUInt32BE(at) & 0x7fffffff) % 1e6).padStart(6, '0');
};
