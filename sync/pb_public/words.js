// Names, numbers and days as the reader sees them. Days are UTC days, as text: "2026-11-20".

import { API } from "./api.js"

export const LANGUAGE = "en-GB"

export const CATEGORIES = {
    ai: "AI", finance: "Finance", compliance: "Compliance", logistics: "Logistics",
    healthtech: "Health tech", devtools: "Developer tools", ecommerce: "E-commerce", other: "Other",
}
export const IMPACTS = { high: "High impact", medium: "Medium impact", low: "Low impact" }
// How sure it is that the posts of a problem are one problem, the surest first.
export const TIERS = { certain: "Certain", likely: "Likely", emerging: "Emerging" }

// The names of the sources, in alphabetical order, as a push has written them. Without them, for example on the board
// of an earlier version, a source is shown by its name in the tables.
export const SOURCES = await readSources()

async function readSources() {
    // The pages preload this address.
    const query = new URLSearchParams({ fields: "name,label", sort: "name", perPage: 1000, skipTotal: 1 })
    try {
        const answer = await fetch(`${API}collections/sources/records?${query}`, { signal: AbortSignal.timeout(5_000) })
        return Object.fromEntries((await answer.json()).items.map(({ name, label }) => [name, label]))
    } catch {
        return {}
    }
}

export const sourceName = (source) => SOURCES[source] ?? String(source).replaceAll("_", " ")
export const categoryName = (category) => CATEGORIES[category] ?? String(category)

/** Whether a text is a day that the calendar has. */
export function isDay(text) {
    const date = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(NaN)
    return !isNaN(date) && date.toISOString().startsWith(text)
}

// PocketBase keeps dates as "2026-11-20 00:00:00.000Z"; a day is its first ten characters.
export const dayOf = (date) => date.slice(0, 10)
export const parseDate = (text) => new Date(text.replace(" ", "T"))

const formats = {
    full: new Intl.DateTimeFormat(LANGUAGE, { timeZone: "UTC", dateStyle: "full" }),
    medium: new Intl.DateTimeFormat(LANGUAGE, { timeZone: "UTC", dateStyle: "medium" }),
    short: new Intl.DateTimeFormat(LANGUAGE, { timeZone: "UTC", day: "numeric", month: "short" }),
    time: new Intl.DateTimeFormat(LANGUAGE, { timeZone: "UTC", dateStyle: "medium", timeStyle: "short" }),
}
export const formatDay = (day) => formats.medium.format(parseDate(`${day}T00:00:00Z`))
/** "20 Nov"; with the year where it is not that of another day. */
export const shortDay = (day, beside) => (day.slice(0, 4) === beside.slice(0, 4) ? formats.short : formats.medium).format(parseDate(`${day}T00:00:00Z`))
export const formatWeekday = (day) => formats.full.format(parseDate(`${day}T00:00:00Z`))
export const formatTime = (date) => formats.time.format(date)

export const formatNumber = (number) => number.toLocaleString(LANGUAGE)
export const formatScore = (number, digits = 2) =>
    number.toLocaleString(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits })
export const percent = (share) => `${Math.round(share * 100)}%`

/** "1 post", "2 posts"; the plural is given where it is not the noun with an s. */
export const count = (number, noun, plural = `${noun}s`) => `${formatNumber(number)} ${number === 1 ? noun : plural}`

/** [source, number] pairs of {"github": 3}, the largest first. */
export const bySize = (counts) => Object.entries(counts ?? {}).sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
