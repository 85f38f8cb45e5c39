// The address holds the state of the page: read from there, validated, and written back without default values.

import { CATEGORIES, IMPACTS, isDay } from "./words.js"

const oneOf = (values) => (value) => Object.hasOwn(values, value)

/** The parameters of a page: the values that they accept, and their default values. */
export function parametersOf({ item, statuses = {}, tiers = {}, sorts }) {
    return {
        q: { accepts: (value) => value.length <= 200 },
        date: { accepts: (value) => value === "all" || isDay(value) },
        from: { accepts: isDay },
        to: { accepts: isDay },
        status: { accepts: oneOf(statuses), fallback: Object.keys(statuses)[0] },
        tier: { accepts: oneOf(tiers) },
        category: { accepts: oneOf(CATEGORIES) },
        impact: { accepts: oneOf(IMPACTS) },
        pay: { accepts: (value) => ["yes", "no"].includes(value) },
        source: { accepts: (value) => /^[a-z0-9_]{1,50}$/i.test(value) },
        name: { accepts: (value) => value.length <= 200 },
        labeller: { accepts: (value) => value.length <= 200 },
        sort: { accepts: oneOf(sorts), fallback: Object.keys(sorts)[0] },
        pictures: { accepts: (value) => value === "open" },
        // What is no id is said to be none.
        [item]: { accepts: (value) => value.length <= 200 },
    }
}

/** The state in an address. A value that is not accepted is ignored. */
export function readState(parameters) {
    const query = new URLSearchParams(location.search)
    const state = {}
    for (const [name, { accepts, fallback = "" }] of Object.entries(parameters)) {
        const value = (query.get(name) ?? "").trim()
        state[name] = value && accepts(value) ? value : fallback
    }
    return tidyDays(state)
}

/** The address of a state, relative to the page. */
export function addressOf(parameters, state) {
    const query = new URLSearchParams()
    const { from, to } = state
    const written = from && from === to ? { ...state, date: from, from: "", to: "" } : state
    for (const [name, { fallback = "" }] of Object.entries(parameters)) {
        if (written[name] && written[name] !== fallback) query.set(name, written[name])
    }
    return query.size ? `?${query}` : location.pathname
}

/** One day is a range of one day, and a range runs forwards. */
export function tidyDays(state) {
    let { date, from, to } = state
    if (isDay(date)) [date, from, to] = ["", date, date]
    if (from || to) date = ""
    if (from && to && from > to) [from, to] = [to, from]
    return { ...state, date, from, to }
}
