/* The format of server-sent events. */

/* Takes pieces of a stream, cut anywhere; gives {event, data, id} for each event. */
export function sse_parser(on_event) {
	let rest = "", event = "", data = [], id;

	const line = (text) => {
		const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(text);

		if (text === "") {
			if (data.length)
				on_event({ event: event || "message", data: data.join("\n"), id });
			event = "";
			data = [];
			id = undefined;
		} else if (name === "event")
			event = value;
		else if (name === "data")
			data.push(value);
		else if (name === "id")
			id = value;
	};
	return (chunk) => {
		const lines = (rest + chunk).split(/\r?\n/);

		rest = lines.pop();
		lines.forEach(line);
	};
}
