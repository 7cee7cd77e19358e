/* Unified diffs, line by line. */

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/* [{kind: "add" | "del" | "same" | "hunk", old, new, text}] */
export function diff_lines(text) {
	let old = 0, now = 0;

	return text.replace(/\n$/, "").split("\n").flatMap((line) => {
		const hunk = HUNK.exec(line);

		if (hunk) {
			old = Number(hunk[1]);
			now = Number(hunk[2]);
			return [{ kind: "hunk", text: line }];
		}
		if (/^(---|\+\+\+) /.test(line) && !now || line.startsWith("\\"))
			return [];
		if (line[0] === "+")
			return [{ kind: "add", new: now++, text: line.slice(1) }];
		if (line[0] === "-")
			return [{ kind: "del", old: old++, text: line.slice(1) }];
		return [{ kind: "same", old: old++, new: now++, text: line.slice(1) }];
	});
}
