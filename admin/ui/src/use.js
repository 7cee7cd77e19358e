/* How components get data: the last answer stays on the screen while the next one comes. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { address, get } from "./api.js";

/* {data, error, loading, reload}. `path` null: nothing is asked. every: ms between asks, while the tab is seen. */
export function useGet(path, query, { every } = {}) {
	const [state, set] = useState({ data: undefined, error: null, loading: true });
	const [turn, setTurn] = useState(0);
	const url = path && address(path, query);
	const last = useRef();

	useEffect(() => {
		if (!path)
			return undefined;
		const abort = new AbortController();

		set((s) => ({ data: last.current === path ? s.data : undefined, error: null, loading: true }));
		last.current = path;
		get(path, query, abort.signal).then(
			(data) => set({ data, error: null, loading: false }),
			(error) => error.name === "AbortError" || set((s) => ({ ...s, error, loading: false })));
		return () => abort.abort();
	}, [url, turn]);
	useEffect(() => {
		const timer = every && setInterval(() => document.hidden || setTurn((t) => t + 1), every);

		return () => clearInterval(timer);
	}, [every]);
	return { ...state, reload: useCallback(() => setTurn((t) => t + 1), []) };
}

/* A list by cursor: {items, more, has_more, error, loading, reload, total}. Only what was asked for is in memory. */
export function usePages(path, query) {
	const [state, set] = useState({ items: undefined, next: null, error: null, loading: true });
	const [turn, setTurn] = useState(0);
	const url = path && address(path, query);
	const running = useRef();

	const ask = useCallback((after, before) => {
		running.current?.abort();
		running.current = new AbortController();
		set((s) => ({ ...s, loading: true, error: null }));
		get(path, { ...query, after }, running.current.signal).then(
			(page) => set({ ...page, items: [...before, ...page.items], error: null, loading: false }),
			(error) => error.name === "AbortError" || set((s) => ({ ...s, error, loading: false })));
	}, [url]);

	useEffect(() => {
		if (path)
			ask(undefined, []);
		return () => running.current?.abort();
	}, [url, turn]);
	return {
		...state,
		has_more: Boolean(state.next),
		more: () => ask(state.next, state.items),
		reload: useCallback(() => setTurn((t) => t + 1), []),
	};
}

/* A write: [run, {busy, error}]. `run` gives what the promise gives, or undefined where it failed. */
export function useAction(action) {
	const [state, set] = useState({ busy: false, error: null });

	const run = async (...args) => {
		set({ busy: true, error: null });
		try {
			const value = await action(...args);

			set({ busy: false, error: null });
			return value ?? true;
		} catch (error) {
			set({ busy: false, error });
			return undefined;
		}
	};
	return [run, { ...state, clear: () => set({ busy: false, error: null }) }];
}

/* A value that follows another after `ms` of rest: what is typed is not asked for letter by letter. */
export function useRest(value, ms = 250) {
	const [rested, set] = useState(value);

	useEffect(() => {
		const timer = setTimeout(() => set(value), ms);

		return () => clearTimeout(timer);
	}, [value, ms]);
	return rested;
}
