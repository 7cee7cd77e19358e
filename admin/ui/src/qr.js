/* A QR code (ISO/IEC 18004): bytes, level L, versions 1 to 9, which is 230 bytes: enough for a link of otpauth. */

/* By version: error correction codewords a block, blocks, data codewords a block, the alignment patterns' middles. */
const VERSIONS = [
	null, [7, 1, 19, []], [10, 1, 34, [6, 18]], [15, 1, 55, [6, 22]], [20, 1, 80, [6, 26]], [26, 1, 108, [6, 30]],
	[18, 2, 68, [6, 34]], [20, 2, 78, [6, 22, 38]], [24, 2, 97, [6, 24, 42]], [30, 2, 116, [6, 26, 46]],
];
const LEVEL_L = 1, MASK = 0; /* any mask may be read; this one is (row + column) % 2 */

/* ---- codewords ---- */

/* Powers of 2 in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1, and their logarithms. */
const power = [], log = [];
for (let i = 0, x = 1; i < 255; i++) {
	power[i] = power[i + 255] = x;
	log[x] = i;
	x = (x << 1) ^ (x & 128 ? 0x11d : 0);
}

const times = (a, b) => (a && b ? power[log[a] + log[b]] : 0);

function generator(n) {
	let poly = [1];

	for (let i = 0; i < n; i++)
		poly = [...poly, 0].map((c, k) => c ^ times(poly[k - 1] ?? 0, power[i]));
	return poly;
}

function correction(data, n) {
	const poly = generator(n), rest = [...data, ...Array(n).fill(0)];

	for (let i = 0; i < data.length; i++) {
		const factor = rest[i];

		poly.forEach((c, k) => (rest[i + k] ^= times(c, factor)));
	}
	return rest.slice(data.length);
}

const bits_of = (value, n) => Array.from({ length: n }, (_, i) => (value >> (n - 1 - i)) & 1);

function data_of(bytes, room) {
	const bits = [...bits_of(4, 4), ...bits_of(bytes.length, 8), ...[...bytes].flatMap((b) => bits_of(b, 8)), 0, 0,
		0, 0];
	const words = [];

	for (let i = 0; i + 8 <= bits.length; i += 8)
		words.push(bits.slice(i, i + 8).reduce((n, b) => 2 * n + b, 0));
	for (let fill = 0xec; words.length < room; fill ^= 0xec ^ 0x11)
		words.push(fill);
	return words;
}

/* The blocks' first codewords, their second ones, and so on; then the same of their correction. */
function interleaved(words, [n_correction, n_blocks, n_data]) {
	const blocks = Array.from({ length: n_blocks }, (_, i) => words.slice(i * n_data, (i + 1) * n_data));
	const extra = blocks.map((b) => correction(b, n_correction));
	const mixed = (lists, n) => Array.from({ length: n }, (_, i) => lists.map((l) => l[i])).flat();

	return [...mixed(blocks, n_data), ...mixed(extra, n_correction)].flatMap((w) => bits_of(w, 8));
}

/* ---- modules ---- */

/* `value` with the rest of its division by `poly` behind it. */
function coded(value, poly, n) {
	let rest = value << n;

	for (let bit = 31; bit >= n; bit--)
		if ((rest >>> bit) & 1)
			rest ^= poly << (bit - n);
	return (value << n) | rest;
}

function put_finder(set, row, column) {
	for (let r = -1; r <= 7; r++)
		for (let c = -1; c <= 7; c++) {
			const ring = Math.max(Math.abs(r - 3), Math.abs(c - 3));

			set(row + r, column + c, ring !== 2 && ring !== 4);
		}
}

function put_alignments(set, middles, size) {
	for (const r of middles)
		for (const c of middles)
			if (!((r === 6 && c === 6) || (r === 6 && c === size - 7) || (r === size - 7 && c === 6)))
				for (let i = -2; i <= 2; i++)
					for (let k = -2; k <= 2; k++)
						set(r + i, c + k, Math.max(Math.abs(i), Math.abs(k)) !== 1);
}

function put_format(set, size) {
	const bits = coded((LEVEL_L << 3) | MASK, 0x537, 10) ^ 0x5412;

	for (let i = 0; i < 15; i++) {
		const on = (bits >> i) & 1;

		set(i < 6 ? i : i < 8 ? i + 1 : size - 15 + i, 8, on);
		set(8, i < 8 ? size - 1 - i : i < 9 ? 7 : 14 - i, on);
	}
	set(size - 8, 8, 1);
}

function put_version(set, version, size) {
	const bits = coded(version, 0x1f25, 12);

	for (let i = 0; version >= 7 && i < 18; i++) {
		const a = Math.floor(i / 3), b = size - 11 + (i % 3);

		set(a, b, (bits >> i) & 1);
		set(b, a, (bits >> i) & 1);
	}
}

/* In columns of two from the right, up and down by turns, wherever no pattern stands. */
function put_data(grid, bits, size) {
	let at = 0, up = true;

	for (let right = size - 1; right > 0; right -= 2, up = !up) {
		if (right === 6)
			right--;
		for (let i = 0; i < size; i++)
			for (const column of [right, right - 1]) {
				const row = up ? size - 1 - i : i;

				if (grid[row][column] === undefined)
					grid[row][column] = Boolean((bits[at++] ?? 0) ^ ((row + column) % 2 === 0));
			}
	}
}

/* Rows of booleans, true is dark; null: the text is too long. */
export function qr(text) {
	const bytes = new TextEncoder().encode(text);
	const version = VERSIONS.findIndex((v) => v && v[1] * v[2] >= bytes.length + 2);

	if (version < 0)
		return null;
	const size = 17 + 4 * version, shape = VERSIONS[version];
	const grid = Array.from({ length: size }, () => Array(size).fill(undefined));
	const set = (r, c, on) => r >= 0 && c >= 0 && r < size && c < size && (grid[r][c] = Boolean(on));

	for (let i = 0; i < size; i++) {
		set(6, i, i % 2 === 0);
		set(i, 6, i % 2 === 0);
	}
	for (const [r, c] of [[0, 0], [0, size - 7], [size - 7, 0]])
		put_finder(set, r, c);
	put_alignments(set, shape[3], size);
	put_format(set, size);
	put_version(set, version, size);
	put_data(grid, interleaved(data_of(bytes, shape[1] * shape[2]), shape), size);
	return grid;
}
