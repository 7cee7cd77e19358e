// steps.js -- the steps of the session, in order. Each is a claim: what it wrote, it finds again.
'use strict';
const assert = require('assert');
const fs = require('fs');
const path = require('path');

const PAGES = [
	['SQL for beginners', 'sql.wiki', 'SELECT, UNION and why 1=1 is no good idea; see xkcd 327'],
	['Shell notes', 'shell.wiki', 'cat /etc/passwd | grep root; and more'],
	['HTML & JavaScript', 'html.wiki', '<script> tags need <nowiki>'],
	['PHP and templates', 'php.wiki', '<?php ... ?> and {{templates}}, ${x}'],
	['Äpfel, 日本語 & 🍎', 'languages.wiki', 'Grüße! ¯\\_(ツ)_/¯ 日本語'],
	["Meeting 2024-03-01; O'Reilly's notes (draft)", 'meeting.wiki', "Ann's notes -- don't drop the table; it's new"],
	['Snippets: Java, Python & XML', 'code.wiki', 'exec() and eval(), "{{7*7}}", &amp; more'],
	['Attacks on Sunday', 'logs.wiki', 'What "OR 1=1 --" and ${jndi:...} do in our logs'],
];
const SEARCHES = ['union select', 'select from where', "O'Reilly", '1=1', '"drop table"', "rock 'n' roll", 'りんご', '🍎', 'C++',
	'AT&T', 'a or b and c', '<script>', '${user.name}', '{{Infobox}}', 'naïve -- or not',
	'intitle:sql "group by"', 'x; y', 'rm -rf', '50% off', 'what is my password?', 'insert into users', "it's 5 o'clock",
	'cat /etc/passwd | grep root', 'SELECT * FROM users WHERE name = ?', 'onerror=alert(1)', 'ping 127.0.0.1', '../config',
	"' or \" ?", 'order by 2', 'http://example.org/?a=b', 'alert(1)', '--help', 'user@example.org', '#hashtag', 'id', 'ls -la'];

function textOf(name) {
	return fs.readFileSync(path.join(__dirname, 'pages', name), 'utf8').trimEnd();
}

function script(values) {
	return '/w/index.php?' + new URLSearchParams(values);
}

// ---- the API, as scripts and gadgets use it ----

async function get(v, url) {
	const r = await v.context.request.get(url);

	v.saw('GET', r);
	return r;
}

async function api(v, values, post) {
	const how = { params: { format: 'json', formatversion: '2' } };
	let r;

	if (post)
		r = await v.context.request.post('/w/api.php', { ...how, [post]: values });
	else
		r = await v.context.request.get('/w/api.php', { params: { ...how.params, ...values } });
	v.saw(post ? 'POST' : 'GET', r);
	const answer = await r.json();
	assert.ok(!answer.error, JSON.stringify(answer.error));
	return answer;
}

async function token(v, type = 'csrf') {
	return (await api(v, { action: 'query', meta: 'tokens', type })).query.tokens[type + 'token'];
}

async function stored(v, title) {
	return (await get(v, script({ title, action: 'raw' }))).text();
}

// ---- the browser ----

// What is done loads a page; it is there when this returns.
async function loads(v, act) {
	await Promise.all([v.page.waitForNavigation(), act()]);
}

async function says(v, pattern) {
	assert.ok(pattern.test(await v.page.textContent('body')), `the page does not say ${pattern}`);
}

async function saves(v) {
	await loads(v, () => v.page.click('#wpSave'));
	await v.page.waitForSelector('#ca-history');
}

// ---- steps ----

async function readsAsAnonymous(v) {
	await v.page.goto('/');
	for (const title of ['Main_Page', 'Special:RecentChanges', 'Special:AllPages', 'Special:Version', 'Special:SpecialPages'])
		await v.page.goto('/wiki/' + title);
	await v.page.goto('/wiki/No_such_page_(yet)');
}

async function failsToLogInThenDoes(v) {
	for (const password of ["wrong' or \"right\"?", v.password]) {
		await v.page.goto(script({ title: 'Special:UserLogin', returnto: 'Main Page', returntoquery: 'a=1&b=2' }));
		await v.page.fill('#wpName1', v.user);
		await v.page.fill('#wpPassword1', password);
		await loads(v, () => v.page.click('#wpLoginAttempt'));
		}
	await v.page.waitForSelector('#pt-logout');
}

async function createsPages(v) {
	for (const [title, file, summary] of PAGES) {
		await v.page.goto(script({ title, action: 'edit' }));
		await v.page.fill('#wpTextbox1', textOf(file));
		await v.page.fill('#wpSummary', summary);
		await saves(v);
		assert.equal(await stored(v, title), textOf(file), title);
	}
}

async function previewsAndComparesAnEdit(v) {
	for (const [title, file, summary] of PAGES.slice(0, 3)) {
		const text = `${textOf(file)}\n\n== More of ${title} ==\n${textOf('meeting.wiki')}`;

		await v.page.goto(script({ title, action: 'edit' }));
		await v.page.fill('#wpTextbox1', text);
		await v.page.click('#wpPreview');
		await v.page.waitForSelector('#wikiPreview, .previewnote');
		await v.page.click('#wpDiff');
		await v.page.waitForSelector('table.diff');
		await v.page.fill('#wpSummary', `/* More of ${title} */ ${summary}`);
		await v.page.check('#wpMinoredit');
		await saves(v);
		assert.equal(await stored(v, title), text, title);
	}
}

async function editsOneSection(v) {
	await v.page.goto(script({ title: PAGES[0][0], action: 'edit', section: '3' }));
	await v.page.fill('#wpTextbox1', "== How injection works ==\n' OR 1=1 -- says it all.");
	await saves(v);
}

async function looksThroughHistory(v) {
	for (const [title] of PAGES.slice(0, 3)) {
		await v.page.goto(script({ title, action: 'history' }));
		await v.page.click('.mw-history-compareselectedversions-button >> nth=0');
		await v.page.waitForSelector('table.diff');
	}
	await v.page.goto(script({ title: PAGES[0][0], action: 'info' }));
	await v.page.goto(script({ title: PAGES[0][0], printable: 'yes' }));
	await v.page.goto(script({ title: PAGES[0][0], action: 'history', feed: 'atom' })).catch(() => {});
}

async function undoesAnEdit(v) {
	await v.page.goto(script({ title: PAGES[1][0], action: 'history' }));
	await v.page.click('.mw-history-undo a >> nth=0');
	await v.page.fill('#wpSummary', "That wasn't right -- back");
	await saves(v);
}

async function searches(v) {
	for (const search of SEARCHES)
		await v.page.goto(script({ search, title: 'Special:Search', profile: 'all', fulltext: '1' }));
}

async function searchesWhileTyping(v) {
	await v.page.goto('/wiki/Main_Page');
	for (const words of ["sql for", "o'rei", 'html & java', 'りん']) {
		await v.page.fill('#searchInput', '');
		await v.page.locator('#searchInput').pressSequentially(words, { delay: 60 });
		await v.page.waitForTimeout(300);
	}
	await loads(v, () => v.page.press('#searchInput', 'Enter'));
}

async function uploadsFiles(v) {
	const files = [
		['Screen shot (1).png', await v.page.screenshot(), 'A picture; <nowiki><img src=x></nowiki> of the ${page}'],
		["L'été à Köln – 100%.txt", 'Grüße\n' + textOf('languages.wiki'), "Ann's photo list: 1=1"],
		['requests.log', '192.0.2.7 - - [01/Mar/2024] "GET /?id=1%27%20UNION%20SELECT%201,2--%20- HTTP/1.1" 404\n' +
			'192.0.2.7 - - [01/Mar/2024] "GET /../../etc/passwd HTTP/1.1" 400 "() { :;}; /bin/bash -c id"\n', 'What came in'],
		['dump 2024-03-01.sql', 'DROP TABLE IF EXISTS users;\nCREATE TABLE users (id INT);\nINSERT INTO users VALUES (1);\n' +
			"SELECT * FROM users WHERE '1'='1' UNION SELECT 1 -- end\n", 'backup; before the update'],
		['Preise & Mengen.csv', 'name;price\n"O\'Reilly";=1+1\n"<b>x</b>";2\n', '=SUM(A1:A9); prices'],
	];

	for (const [name, data, comment] of files) {
		const file = path.join(v.folder, name);

		fs.writeFileSync(file, data);
		await v.page.goto('/wiki/Special:Upload');
		await v.page.setInputFiles('#wpUploadFile', file);
		await v.page.fill('#wpUploadDescription', comment);
		await v.page.check('#wpIgnoreWarning');
		await v.page.click('[name=wpUpload]');
		await v.page.waitForSelector('#ca-history', { timeout: 15000 });
		const back = await get(v, await v.page.getAttribute('.fullMedia a', 'href'));
		assert.deepEqual(await back.body(), Buffer.from(data), name);
	}
}

async function showsAnUploadInAPage(v) {
	await v.page.goto(script({ title: 'Gallery', action: 'edit' }));
	await v.page.fill('#wpTextbox1', "[[File:Screen shot (1).png|thumb|200px|It's <b>this</b>]]\n<gallery>\nScreen shot (1).png|a'b\n</gallery>");
	await saves(v);
	await v.page.waitForSelector('.thumb img, figure img, .thumbimage');
}

async function changesPreferences(v) {
	await v.page.goto('/wiki/Special:Preferences');
	await v.page.fill('[name=wprealname]', "Séan O'Neil; \"Jr.\" <admin>");
	await v.page.fill('[name=wpnickname]', "[[User:Admin|O'Neil]] <small>([[User talk:Admin|talk]]) -- 1=1</small>");
	await v.page.click('[name=wpfancysig]', { force: true });
	await loads(v, () => v.page.click('#prefcontrol button, #prefcontrol'));
	await says(v, /preferences have been saved/);
}

async function changesThePassword(v) {
	const next = "k'9#;vB--\"w2&|Lx$(q<%=}";

	await v.page.goto('/wiki/Special:ChangeCredentials/MediaWiki%5CAuth%5CPasswordAuthenticationRequest');
	await v.page.fill('[name=password]', next);
	await v.page.fill('[name=retype]', next);
	await loads(v, () => v.page.click('#mw-content-text button[type=submit], #mw-content-text input[type=submit]'));
	await says(v, /credentials have been changed/);
}

async function writesScriptsAndStyles(v) {
	const texts = [
		['User:Admin/common.js', "mw.loader.using('mediawiki.api').then(function () {\n\tvar api = new mw.Api();\n\tif (1 == 1 || window.x) " +
			"{ document.title = document.title + ' ' + new Date(); }\n\t$('body').append('<script>/* no */<\\/script>');\n});"],
		['MediaWiki:Common.css', "@import url('/w/index.php?title=MediaWiki:More.css&action=raw&ctype=text/css');\n" +
			".x:before { content: '\\201C'; background: url(data:image/png;base64,iVBORw0KGgo=); } /* expression(1) */"],
		['MediaWiki:Common.js', "var s = document.createElement('script'); s.src = 'https://example.org/a.js'; /* eval(x) */"],
	];

	for (const [title, text] of texts) {
		await v.page.goto(script({ title, action: 'edit' }));
		await v.page.waitForFunction(() => window.mw && mw.loader.getState('jquery.textSelection') === 'ready').catch(() => {});
		await v.page.evaluate((all) => { $('#wpTextbox1').textSelection('setContents', all); }, text);
		await saves(v);
		assert.equal(await stored(v, title), text, title);
	}
}

async function administers(v) {
	await v.page.goto('/wiki/Special:MovePage/Gallery');
	await v.page.fill('[name=wpNewTitleMain]', "Gallery of O'Neil");
	await v.page.fill('[name=wpReason]', "Name was wrong; it's \"his\" -- 1 of 2");
	await loads(v, () => v.page.click('[name=wpMove]'));
	await v.page.goto(script({ title: "Gallery of O'Neil", action: 'delete' }));
	await v.page.fill('[name=wpReason]', "Spam: <script>alert(1)</script> by 192.0.2.7; select another one");
	await loads(v, () => v.page.click('#wpConfirmB'));
	await v.page.goto(script({ title: 'Special:Export' }));
	await v.page.fill('[name=pages]', PAGES.map(([title]) => title).join('\n'));
	const [download] = await Promise.all([v.page.waitForEvent('download'), v.page.locator('#mw-content-text [type=submit]').last().click()]);
	v.exported = path.join(v.folder, 'export.xml');
	await download.saveAs(v.exported);
}

async function importsAnExport(v) {
	assert.match(fs.readFileSync(v.exported, 'utf8'), /DROP TABLE/);
	await v.page.goto('/wiki/Special:Import');
	await v.page.setInputFiles('[name=xmlimport]', v.exported);
	await v.page.fill('#mw-import-upload-form [name=usernamePrefix], [name=usernamePrefix]', 'old');
	await loads(v, () => v.page.click('#mw-import-upload-form [type=submit]'));
	await says(v, /revision/);
}

async function usesTheApi(v) {
	const csrf = await token(v);

	await api(v, { action: 'query', titles: 'Main Page|SQL for beginners|Shell notes', prop: 'info|revisions', rvprop: 'content|timestamp', inprop: 'url' });
	await api(v, { action: 'query', list: 'search', srsearch: 'union select', srnamespace: '0|1|2' });
	await api(v, { action: 'opensearch', search: "o'rei", limit: '10' });
	await api(v, { action: 'query', generator: 'allpages', gapfilterredir: 'nonredirects', prop: 'categories', cllimit: '500' });
	for (const [, file] of PAGES) {
		await api(v, { action: 'parse', text: textOf(file), contentmodel: 'wikitext', title: 'Test' }, 'form');
		await api(v, { action: 'edit', title: 'API/' + file, text: textOf(file), summary: 'by a bot; 1=1', token: csrf }, 'multipart');
		assert.equal(await stored(v, 'API/' + file), textOf(file));
	}
	await api(v, { action: 'options', change: "gender=unknown|language=de|fancysig=1", token: csrf }, 'form');
	await api(v, { action: 'options', change: 'language=en', token: csrf }, 'form');
}

async function usesTheRestApi(v) {
	for (const [title, file, comment] of PAGES) {
		const data = { source: textOf(file), title: 'REST ' + title, comment, token: await token(v) };
		const r = await v.context.request.post('/w/rest.php/v1/page', { data });

		v.saw('POST', r);
		assert.equal(r.status(), 201, await r.text());
		await get(v, '/w/rest.php/v1/page/' + encodeURIComponent('REST ' + title));
		await get(v, '/w/rest.php/v1/search/page?' + new URLSearchParams({ q: title, limit: '5' }));
	}
}

async function editsVisually(v) {
	await v.page.goto(script({ title: 'Seen', veaction: 'edit' }));
	await v.page.waitForSelector('.ve-ce-documentNode', { timeout: 30000 });
	await v.page.waitForFunction(() => window.ve && ve.init.target && ve.init.target.getSurface());
	await v.page.click('.ve-ce-documentNode');
	await v.page.keyboard.type("Typed <b>here</b>: SELECT 'a' UNION SELECT 'b'; -- and ${x}");
	await v.page.click('.ve-ui-toolbar-saveButton a, .ve-ui-toolbar-saveButton');
	await v.page.waitForSelector('.ve-ui-mwSaveDialog-summary textarea >> nth=0');
	await v.page.fill('.ve-ui-mwSaveDialog-summary textarea >> nth=0', "it's visual; 1=1");
	await v.page.click('.oo-ui-processDialog-actions-primary a');
	await v.page.waitForFunction(() => document.getElementById('ca-history') && document.readyState === 'complete');
	assert.match(await stored(v, 'Seen'), /UNION SELECT/);
}

async function logsOut(v) {
	await v.page.goto('/wiki/Special:UserLogout');
	await loads(v, () => v.page.click('#mw-content-text [type=submit]'));
	await v.page.waitForSelector('#pt-login');
}

module.exports = { steps: [
	readsAsAnonymous, failsToLogInThenDoes, createsPages, previewsAndComparesAnEdit, editsOneSection,
	looksThroughHistory, undoesAnEdit, searches, searchesWhileTyping, uploadsFiles, showsAnUploadInAPage,
	changesPreferences, changesThePassword, writesScriptsAndStyles, administers, importsAnExport,
	usesTheApi, usesTheRestApi, editsVisually, logsOut,
] };
