// Small bars of the voices a day, which lists show; and what they share with the large pictures (pictures.js).

import { LANGUAGE, SOURCES as SOURCE_NAMES, count, formatNumber } from "./words.js"

const DAY_MS = 86_400_000
const SVG = "http://www.w3.org/2000/svg"

// Sources are stacked in this order. pictures.css gives each its colour; a source without a colour there is grey.
export const SOURCES = Object.keys(SOURCE_NAMES)

export const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)

export const dayNumber = (day) => Date.parse(`${day}T00:00:00Z`) / DAY_MS
const isoDay = (number) => new Date(number * DAY_MS).toISOString().slice(0, 10)
const formatOf = (options) => new Intl.DateTimeFormat(LANGUAGE, { timeZone: "UTC", ...options })
// Lists format many days, and to make a format takes longer than to use it.
const DAY_AND_MONTH = formatOf({ day: "numeric", month: "long" })
export const formatDay = (day, options = null) => (options ? formatOf(options) : DAY_AND_MONTH).format(new Date(`${day}T00:00:00Z`))

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) node.addEventListener(name.slice(2), value)
        else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value)
    }
    node.append(...children)
    return node
}
export const element = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children)
export const shape = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children)

/** How many voices each source had on one day: the sources with a name, and "other" for the rest. */
export function voicesBySource(voices) {
    const counts = Object.fromEntries(SOURCES.map((source) => [source, 0]))
    for (const [source, number] of Object.entries(voices ?? {})) {
        const known = Object.hasOwn(SOURCE_NAMES, source) ? source : "other"
        counts[known] = (counts[known] ?? 0) + Math.max(0, Number(number) || 0)
    }
    return counts
}

/** One entry for each day from first to last, days without voices among them. */
export function daysBetween(dailyVoices, first, last) {
    return Array.from({ length: last - first + 1 }, (_, index) => {
        const day = isoDay(first + index)
        const counts = voicesBySource(dailyVoices[day])
        return { day, counts, total: sum(Object.values(counts)) }
    })
}

function sparklineInWords(days) {
    const loud = days.filter((day) => day.total)
    const span = `${count(days.length, "day")} to ${formatDay(days.at(-1).day)}`
    if (!loud.length) return `Voices a day: none in the ${span}`
    if (loud.length <= 4) {
        return `Voices a day, ${span}: ${loud.map((day) => `${formatNumber(day.total)} on ${formatDay(day.day)}`).join(", ")}`
    }
    const most = loud.reduce((best, day) => (day.total > best.total ? day : best))
    return `Voices a day, ${span}: ${formatNumber(sum(days.map((day) => day.total)))} in all, most on ` +
        `${formatDay(most.day)} (${formatNumber(most.total)}), ${formatNumber(days.at(-1).total)} on the last day`
}

/**
 * Small bars of the voices a day, the last day accented. Whole pixels, so that equal days look equal. Null where fewer
 * than two days have voices: one bar shows no course.
 */
export function sparkline(dailyVoices, { days: length = 21, until } = {}) {
    const voices = dailyVoices ?? {}
    const last = dayNumber(until ?? Object.keys(voices).sort().at(-1) ?? new Date().toISOString().slice(0, 10))
    const days = daysBetween(voices, last - length + 1, last)
    if (days.filter((day) => day.total).length < 2) return null
    const most = Math.max(1, ...days.map((day) => day.total))
    const step = Math.max(2, Math.round(96 / length))
    const width = step * length - 1
    const words = sparklineInWords(days)
    return shape("svg", { class: "sparkline", viewBox: `0 0 ${width} 24`, width, height: 24, role: "img", "aria-label": words },
        shape("title", {}, words),
        ...days.map((day, index) => {
            const height = day.total ? Math.max(2, Math.round((24 * day.total) / most)) : 1
            const kind = day.total ? (index === length - 1 ? "last" : "day") : "none"
            return shape("rect", { class: `sparkline-${kind}`, x: index * step, y: 24 - height, width: step - 1, height })
        }))
}
