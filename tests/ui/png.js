// png.js -- a picture of a page in fewer bytes than the browser takes, which is in a hurry: without filters, as flat surfaces
// and letters repeat themselves, and as tightly as deflate can.
'use strict';
const zlib = require('zlib');

const HEAD = 8; // bytes of the signature; then chunks: length, type, data, CRC

function* chunks(png) {
	for (let at = HEAD; at < png.length;) {
		const size = png.readUInt32BE(at);

		yield { type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + size) };
		at += size + 12;
	}
}

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++)
		n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n;
});

function crc(bytes) {
	let c = 0xffffffff;

	for (const b of bytes)
		c = TABLE[(c ^ b) & 255] ^ (c >>> 8);
	return (c ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
	const out = Buffer.alloc(data.length + 12);

	out.writeUInt32BE(data.length);
	out.write(type, 4, 'latin1');
	data.copy(out, 8);
	out.writeUInt32BE(crc(out.subarray(4, data.length + 8)), data.length + 8);
	return out;
}

function paeth(a, b, c) {
	const pa = Math.abs(b - c), pb = Math.abs(a - c), pc = Math.abs(a + b - 2 * c);

	return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

// What each filter of PNG (RFC 2083 6) added: a is to the left, b above, c above that.
const ADDED = [() => 0, (a) => a, (a, b) => b, (a, b) => (a + b) >> 1, paeth];

// In place: lines of a byte for the filter and then `row` bytes, `step` a point.
function unfilter(image, row, step) {
	for (let y = 0; y < image.length; y += row + 1) {
		const added = ADDED[image[y]], above = y - row - 1;

		for (let i = 1; i <= row; i++) {
			const left = i > step, up = above >= 0;

			image[y + i] += added(left ? image[y + i - step] : 0, up ? image[above + i] : 0, left && up ? image[above + i - step] : 0);
		}
		image[y] = 0;
	}
	return image;
}

exports.packed = (png) => {
	const all = [...chunks(png)];
	const step = { 2: 3, 6: 4 }[all[0].data[9]]; // bytes a point: RGB, RGBA
	const image = zlib.inflateSync(Buffer.concat(all.filter((c) => c.type === 'IDAT').map((c) => c.data)));

	return Buffer.concat([png.subarray(0, HEAD), chunk('IHDR', all[0].data),
		chunk('IDAT', zlib.deflateSync(unfilter(image, all[0].data.readUInt32BE(0) * step, step), { level: 9, memLevel: 9 })), chunk('IEND', Buffer.alloc(0))]);
};
