// Groundswell's pictures: voices over time, problems by category and impact, and the map of a day's posts.
//
// Each function takes plain data and returns an element, which disconnects its observers when it leaves the document.
// Posts are hostile input: every text reaches the page as a text node, an attribute of no effect, or ink on a canvas.

import { SOURCES, dayNumber, daysBetween, element, formatDay, shape, sum, voicesBySource } from "./sparkline.js"
import { CATEGORIES, SOURCES as SOURCE_NAMES, count, formatNumber } from "./words.js"

const IMPACTS = ["low", "medium", "high"]

// --- Words and numbers --------------------------------------------------------------------------

const sourceName = (source) => SOURCE_NAMES[source] ?? "Another source"
const clamp = (number, low, high) => Math.max(low, Math.min(high, number))

/** Text on one line, without the control characters that change the direction of the text around them. */
const plainText = (text) => String(text ?? "").replace(/[\u202a-\u202e\u2066-\u2069]/g, "").replace(/\s+/g, " ").trim()

function cutText(text, length) {
    const characters = Array.from(text)
    return characters.length <= length ? text : `${characters.slice(0, length - 1).join("").trimEnd()}…`
}

const caption = (title, note) =>
    element("figcaption", {}, element("strong", {}, title), " ", element("span", { class: "picture-note" }, note))

// --- Voices -------------------------------------------------------------------------------------

/** The daily voices of all items together. */
function addUp(items) {
    const total = {}
    for (const { daily_voices: dailyVoices } of items) {
        for (const [day, voices] of Object.entries(dailyVoices ?? {})) {
            if (isNaN(dayNumber(day))) continue
            total[day] ??= {}
            for (const [source, number] of Object.entries(voicesBySource(voices))) {
                total[day][source] = (total[day][source] ?? 0) + number
            }
        }
    }
    return total
}

/** Gridlines at round numbers: at most about four. */
function ticksUpTo(most) {
    const rough = Math.max(1, most / 4)
    const power = 10 ** Math.floor(Math.log10(rough))
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)
    return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step)
}

/** The chart at a width in pixels. It is drawn again for each width, because scaled text is unreadable on a phone. */
function voicesChart(days, sources, width, chosen) {
    const [left, top, bottom, height] = [48, 10, 26, 240]
    const ticks = ticksUpTo(Math.max(1, ...days.map((day) => day.total)))
    const step = (width - left - 6) / days.length
    const barWidth = clamp(step - (step > 6 ? 2 : 0.75), 1, 36)
    const yOf = (number) => top + (height - top - bottom) * (1 - number / ticks.at(-1))
    const middleOf = (index) => left + step * (index + 0.5)
    const daysPerLabel = Math.ceil(60 / step)

    const grid = ticks.map((tick) => shape("g", {},
        shape("line", { class: tick ? "grid-line" : "base-line", x1: left, x2: width, y1: yOf(tick), y2: yOf(tick) }),
        shape("text", { x: left - 8, y: yOf(tick), dy: "0.35em", "text-anchor": "end" }, formatNumber(tick))))
    const labels = days.flatMap(({ day }, index) => {
        if ((days.length - 1 - index) % daysPerLabel) return []
        const text = formatDay(day, { day: "numeric", month: "short" })
        return shape("text", { x: clamp(middleOf(index), left + 8, width - 24), y: height - 8, "text-anchor": "middle" }, text)
    })
    const bars = days.flatMap((day, index) => {
        let below = 0
        return sources.filter((source) => day.counts[source]).map((source) => {
            const from = yOf(below)
            below += day.counts[source]
            // A thin gap between the parts; the smallest part stays visible.
            const barHeight = Math.max(1, from - yOf(below) - (from - yOf(below) > 3 ? 1 : 0))
            return shape("rect", {
                class: `source-${source}`, x: middleOf(index) - barWidth / 2, y: from - barHeight, width: barWidth, height: barHeight,
            })
        })
    })
    const marker = chosen === null ? [] : [shape("rect", {
        class: "chosen-day", x: left + step * chosen, y: top, width: Math.max(step, 3), height: height - top - bottom,
    })]
    const chart = shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
        ...marker, ...grid, ...bars, ...labels)
    return { chart, indexAt: (x) => clamp(Math.floor((x - left) / step), 0, days.length - 1) }
}

function voicesTable(days, sources) {
    const row = (head, cells) => element("tr", {}, head, ...cells)
    return element("table", {},
        element("thead", {}, row(element("th", { scope: "col" }, "Day"),
            [...sources.map(sourceName), "All"].map((name) => element("th", { scope: "col" }, name)))),
        element("tbody", {}, ...days.filter((day) => day.total).map((day) => row(
            element("th", { scope: "row" }, formatDay(day.day, { day: "numeric", month: "short", year: "numeric" })),
            [...sources.map((source) => day.counts[source] ?? 0), day.total].map((number) => element("td", {}, formatNumber(number)))))))
}

/** Voices a day, stacked by source. The legend shows the counts of all days, or of the day under the pointer. */
export function voicesPicture(items) {
    const voices = addUp(items)
    const numbers = Object.keys(voices).map(dayNumber)
    const last = Math.max(...numbers)
    const days = numbers.length ? daysBetween(voices, Math.max(Math.min(...numbers), last - 89), last) : []
    if (!days.length) return element("figure", { class: "picture" }, caption("Voices a day", "There are none yet."))

    const sources = [...SOURCES, "other"].filter((source) => days.some((day) => day.counts[source]))
    const loud = days.filter((day) => day.total)
    if (loud.length === 1) {
        const [{ day, counts }] = loud
        const parts = sources.filter((source) => counts[source]).map((source) => `${sourceName(source)} ${formatNumber(counts[source])}`)
        return element("figure", { class: "picture" }, caption("Voices a day",
            // No sum: a voice of two sources is one voice, and counts for both of them here.
            `Heard on one day, ${formatDay(day, { dateStyle: "medium" })}: ${parts.join(", ")}.`))
    }
    const ofSource = (source, index) => (index === null ? sum(days.map((day) => day.counts[source] ?? 0)) : days[index].counts[source] ?? 0)
    const nameOf = (index) => (index === null
        ? `${formatDay(days[0].day)} to ${formatDay(days.at(-1).day)}`
        : formatDay(days[index].day, { weekday: "long", day: "numeric", month: "long" }))
    const totalOf = (index) => count(sum(sources.map((source) => ofSource(source, index))), "voice")
    const inWords = (index) => [`${nameOf(index)}: ${totalOf(index)}`, ...sources.flatMap((source) => {
        const number = ofSource(source, index)
        return number ? `${sourceName(source)} ${formatNumber(number)}` : []
    })].join(", ")

    const [heading, total] = [element("span", { class: "reading-day" }), element("span", { class: "reading-total" })]
    const figures = sources.map(() => element("span", { class: "reading-number" }))
    const legend = element("div", { class: "reading" }, element("p", {}, heading, total),
        element("ul", {}, ...sources.map((source, index) =>
            element("li", {}, element("span", { class: `swatch source-${source}` }), sourceName(source), figures[index]))))
    // A slider for the keyboard and screen readers: the arrow keys go from day to day, and each day is read out.
    const plot = element("div", {
        class: "plot", role: "slider", tabindex: 0, "aria-label": "Voices a day, by source",
        "aria-valuemin": 1, "aria-valuemax": days.length,
    })
    let [chosen, drawn, indexAt] = [null, null, () => 0]

    function draw() {
        const width = Math.round(plot.clientWidth)
        if (width) {
            ({ chart: drawn, indexAt } = voicesChart(days, sources, width, chosen))
            plot.replaceChildren(drawn)
        }
    }
    function choose(index) {
        chosen = index
        heading.textContent = nameOf(index)
        total.textContent = totalOf(index)
        figures.forEach((figure, at) => { figure.textContent = formatNumber(ofSource(sources[at], index)) })
        plot.setAttribute("aria-valuenow", (index ?? days.length - 1) + 1)
        plot.setAttribute("aria-valuetext", inWords(index))
        draw()
    }
    const point = (event) => {
        const index = indexAt(event.clientX - plot.getBoundingClientRect().left)
        if (index !== chosen) choose(index)
    }
    plot.addEventListener("pointermove", point)
    plot.addEventListener("pointerdown", point)
    plot.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && choose(null))
    plot.addEventListener("blur", () => choose(null))
    plot.addEventListener("keydown", (event) => {
        const at = chosen ?? days.length
        const next = {
            ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1,
            PageDown: at - 7, PageUp: at + 7, Home: 0, End: days.length - 1,
        }[event.key]
        if (next === undefined && event.key !== "Escape") return
        event.preventDefault()
        choose(next === undefined ? null : clamp(next, 0, days.length - 1))
    })
    choose(null)
    new ResizeObserver(draw).observe(plot)
    return element("figure", { class: "picture voices-picture" },
        caption("Voices a day", "A voice is an author, as far as can be told; a gap is a day without any."), legend, plot,
        element("details", {}, element("summary", {}, "Show as table"), voicesTable(days, sources)))
}

// --- Weeks --------------------------------------------------------------------------------------

// The signs below the weeks in which something happened to a problem, with their words.
const EVENTS = {
    opened: ["●", "opened"], reopened: ["▲", "heard again"], dormant: ["○", "went quiet"], closed: ["×", "closed"],
    "merged into": ["◆", "merged into another"], "split from": ["◇", "split from another"],
}

/** The weeks of a record, as far as they can be read. */
function readWeeks(weeks) {
    return weeks.filter(({ week_start: day }) => !isNaN(dayNumber(day))).map(({ week_start: day, voices, new_voices: fresh, total_voices: total, events }) => {
        const [number, first] = [voices, fresh].map((value) => Math.max(0, Number(value) || 0))
        return { day, voices: number, fresh: Math.min(first, number), total: Math.max(0, Number(total) || 0), events: (events ?? []).filter((event) => Object.hasOwn(EVENTS, event)) }
    })
}

const weekInWords = ({ day, voices, fresh, events }) => [
    `Week of ${formatDay(day)}: ${count(voices, "voice")}${fresh && fresh < voices ? `, ${formatNumber(fresh)} new` : ""}`,
    ...events.map((event) => EVENTS[event][1]),
].join("; ")

function weeksChart(weeks, width) {
    const [left, top, plot, label] = [28, 6, 110, 20]
    const most = Math.max(1, ...weeks.map((week) => week.voices))
    const ticks = ticksUpTo(most)
    const step = (width - left) / weeks.length
    const barWidth = clamp(step - 3, 2, 36)
    const yOf = (number) => top + plot * (1 - number / ticks.at(-1))
    const signs = Math.max(0, ...weeks.map((week) => week.events.length))
    const height = top + plot + 14 * signs + label
    const weeksPerLabel = Math.ceil(64 / step)
    const grid = ticks.map((tick) => shape("g", {},
        shape("line", { class: tick ? "grid-line" : "base-line", x1: left, x2: width, y1: yOf(tick), y2: yOf(tick) }),
        shape("text", { x: left - 6, y: yOf(tick), dy: "0.35em", "text-anchor": "end" }, formatNumber(tick))))
    const bar = (kind, index, from, to) => (to > from
        ? [shape("rect", { class: kind, x: left + step * (index + 0.5) - barWidth / 2, y: yOf(to), width: barWidth, height: Math.max(1, yOf(from) - yOf(to)) })] : [])
    const columns = weeks.map((week, index) => {
        const middle = left + step * (index + 0.5)
        return shape("g", {},
            shape("title", {}, weekInWords(week)),
            shape("rect", { class: "week-column", x: left + step * index, y: top, width: step, height: height - top }),
            ...bar("week-new", index, 0, week.fresh), ...bar("week-known", index, week.fresh, week.voices),
            ...week.events.map((event, place) => shape("text", { class: "week-event", x: middle, y: top + plot + 13 + 14 * place, "text-anchor": "middle" }, EVENTS[event][0])),
            (weeks.length - 1 - index) % weeksPerLabel ? "" : shape("text", { x: clamp(middle, left + 16, width - 22), y: height - 4, "text-anchor": "middle" },
                formatDay(week.day, { day: "numeric", month: "short" })))
    })
    const inWords = `Voices a week, from the week of ${formatDay(weeks[0].day)} to that of ${formatDay(weeks.at(-1).day)}; the table below has the numbers`
    return shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": inWords }, ...grid, ...columns)
}

/** The life of a problem by week: its voices, those heard for the first time apart, and what happened to it. */
export function weeksPicture(given) {
    const weeks = readWeeks(given)
    if (!weeks.length) return element("figure", { class: "picture" }, caption("Voices a week", "There are none yet."))
    const happened = Object.keys(EVENTS).filter((event) => weeks.some((week) => week.events.includes(event)))
    const key = (sign, words) => element("li", {}, sign, words)
    const legend = element("div", { class: "reading" }, element("ul", {},
        key(element("span", { class: "swatch week-new" }), "heard for the first time"),
        weeks.some(({ voices, fresh }) => voices > fresh) ? key(element("span", { class: "swatch week-known" }), "heard before") : "",
        ...happened.map((event) => key(element("span", { class: "week-sign", "aria-hidden": "true" }, EVENTS[event][0]), EVENTS[event][1]))))
    const plot = element("div", { class: "weeks-plot" })
    new ResizeObserver(() => plot.clientWidth && plot.replaceChildren(weeksChart(weeks, Math.round(plot.clientWidth)))).observe(plot)
    const row = (week) => element("tr", {}, element("th", { scope: "row" }, formatDay(week.day, { day: "numeric", month: "short", year: "numeric" })),
        ...[week.voices, week.fresh, week.total].map((number) => element("td", {}, formatNumber(number))),
        element("td", {}, week.events.map((event) => EVENTS[event][1]).join(", ")))
    return element("figure", { class: "picture voices-picture weeks-picture" },
        caption("Voices a week", "A week begins on Monday."), legend, plot,
        element("details", {}, element("summary", {}, "Show as table"), element("table", {},
            element("thead", {}, element("tr", {}, ...["Week of", "Voices", "New", "In all", "What happened"].map((name) => element("th", { scope: "col" }, name)))),
            element("tbody", {}, ...weeks.map(row)))))
}

// --- Names of the watchlist ---------------------------------------------------------------------

/**
 * Share of voice: a table of the names of the watchlist. `until` is the latest day, `hrefOf` gives the address of the
 * problems that mention a name, `trendLabel` the trend of a name.
 */
export function namesPicture(names, { until, hrefOf, trendLabel }) {
    const last = dayNumber(until)
    const postsOf = ({ days }) => sum(Object.entries(days ?? {}).map(([day, { posts }]) => (dayNumber(day) > last - 7 && dayNumber(day) <= last ? Number(posts) || 0 : 0)))
    // Without any voice there is no share.
    const [heard, heardBefore] = ["recent_voices", "earlier_voices"].map((field) => names.some((name) => name[field]))
    const share = (is, value) => (is ? `${Math.round(value * 100)}%` : "–")
    const row = (name) => element("tr", {},
        element("th", { scope: "row" },
            name.problems ? element("a", { href: hrefOf(name.name), "data-inside": "name", dir: "auto" }, name.name) : element("bdi", {}, name.name),
            element("span", { class: "picture-note" }, name.side === "own" ? " yours" : "")),
        ...[formatNumber(postsOf(name)), formatNumber(name.recent_voices), share(heard, name.recent_share), share(heardBefore, name.earlier_share)].map((text) =>
            element("td", {}, text)),
        element("td", {}, name.first_seen ? trendLabel(name) : element("span", { class: "picture-note" }, "Never mentioned")))
    return element("figure", { class: "picture names-picture" },
        caption("Share of voice", "Posts of the last seven days; voices lately, and their share of all voices that mention a name that you watch, lately and before."),
        element("div", { class: "names-table" }, element("table", {},
            element("thead", {}, element("tr", {}, ...["Name", "Posts", "Voices", "Share", "Before", "Trend"].map((name) => element("th", { scope: "col" }, name)))),
            element("tbody", {}, ...names.map(row)))))
}

// --- Categories and impact ----------------------------------------------------------------------

const SHADES = 5

/** Problems by category and impact: a table. A cell with more problems is darker, and opens their list. */
export function categoryPicture(items, { noun = "problem", onPick } = {}) {
    const number = (category, impact) => items.filter((item) =>
        (!category || item.category === category) && (!impact || item.impact_level === impact)).length
    const categories = Object.keys(CATEGORIES).filter((category) => items.some((item) => item.category === category))
    const unknown = (category) => items.filter((item) => (!category || item.category === category) && !IMPACTS.includes(item.impact_level)).length
    const hasUnknown = unknown() > 0
    const most = Math.max(1, ...categories.flatMap((category) => IMPACTS.map((impact) => number(category, impact))))

    const cell = (category, impact) => {
        const found = number(category, impact)
        // By the square root: otherwise one large cell would make all others look the same.
        const shade = Math.ceil(SHADES * Math.sqrt(found / most))
        if (!found || !onPick) return element("td", { class: `shade-${shade}` }, formatNumber(found))
        return element("td", { class: `shade-${shade}` }, element("button", {
            type: "button",
            "aria-label": `${CATEGORIES[category]}, ${impact} impact: ${count(found, noun)}`,
            onclick: () => onPick(category, impact),
        }, formatNumber(found)))
    }
    const column = (impact) => element("th", { scope: "col" }, impact[0].toUpperCase() + impact.slice(1))
    const unknownCell = (category, kind = "shade-0") => (hasUnknown ? [element("td", { class: kind }, formatNumber(unknown(category)))] : [])
    const total = (category, impact) => element("td", { class: "total" }, formatNumber(number(category, impact)))
    const header = (scope, text) => element("th", { scope }, text)
    return element("figure", { class: "picture category-picture" },
        caption(`${noun[0].toUpperCase()}${noun.slice(1)}s by category and impact`, onPick ? `Choose a number to see the ${noun}s.` : ""),
        element("table", {},
            element("thead", {}, element("tr", {}, header("col", "Category"), ...IMPACTS.map(column), ...(hasUnknown ? [header("col", "Not known")] : []), header("col", "All"))),
            element("tbody", {}, ...categories.map((category) => element("tr", {}, header("row", CATEGORIES[category]),
                ...IMPACTS.map((impact) => cell(category, impact)), ...unknownCell(category), total(category)))),
            element("tfoot", {}, element("tr", {}, header("row", "All"),
                ...IMPACTS.map((impact) => total(null, impact)), ...unknownCell(null, "total"), total()))))
}

// --- The map: layout ----------------------------------------------------------------------------

const GRID = 64
const REACH = 12
const LABEL_CHARACTERS = 26 // of a line, and of at most so many lines
const NARROW_LABEL_CHARACTERS = 17 // of a line on a phone
const LABEL_LINES = 3
const LINE_HEIGHT = 15
const LABEL_DISTANCES = [10, 22, 36, 52, 70, 90, 120]
// Below and above first, then beside.
const DIRECTIONS = [[0, 1], [0, -1], [0.5, 1], [-0.5, 1], [0.5, -1], [-0.5, -1], [1, 0], [-1, 0], [1, 1], [-1, 1], [1, -1], [-1, -1], [1, 0.5], [-1, 0.5], [1, -0.5], [-1, -0.5]]
const PIXELS_PER_LABEL = 18_000
const CELL = 4 // pixels: where dots are, to within so many
const MOST_ZOOM = 24

/** Lightness and chroma, in turns: hues alone are too close where there are hundreds of issues. At least 3:1 on paper. */
const TONES = { light: [[0.57, 0.15], [0.47, 0.13], [0.62, 0.14]], dark: [[0.74, 0.13], [0.64, 0.14], [0.83, 0.1]] }

/** Golden angles: each hue is far from those before it, however many there are. */
function issueColour(rank, isDark) {
    const tones = TONES[isDark ? "dark" : "light"]
    const [lightness, chroma] = tones[rank % tones.length]
    return `oklch(${lightness} ${chroma} ${((rank * 137.508 + 200) % 360).toFixed(1)})`
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]

/** The dot amid the thick of them, where a label belongs: some stray, so it is twice narrowed to the half nearest the median. */
function middleDot(dots, narrowings = 2) {
    const [x, y] = [median(dots.map((dot) => dot.x)), median(dots.map((dot) => dot.y))]
    const distance = (dot) => (dot.x - x) ** 2 + (dot.y - y) ** 2
    const nearestFirst = dots.toSorted((a, b) => distance(a) - distance(b))
    return narrowings ? middleDot(nearestFirst.slice(0, Math.ceil(dots.length / 2)), narrowings - 1) : nearestFirst[0]
}

/** The issues with their dots, the largest first, which is also the order of colours. Posts of no known issue are the last. */
function groupByIssue(points, issues) {
    const dotsOf = new Map([...issues.keys(), null].map((id) => [id, []]))
    for (const point of points) {
        if (Number.isFinite(point.x) && Number.isFinite(point.y)) dotsOf.get(issues.has(point.issue) ? point.issue : null).push(point)
    }
    const groups = [...issues].map(([id, issue]) => {
        const dots = dotsOf.get(id)
        const title = plainText(issue.title) || "Untitled"
        return { id, title, size: issue.size ?? dots.length, dots, middle: dots.length ? middleDot(dots) : null }
    })
    groups.sort((a, b) => b.size - a.size)
    return [...groups, { id: null, title: "", size: 0, dots: dotsOf.get(null), middle: null }]
}

/** The dots by the cells of a grid, so that finding the nearest looks at a handful of 20,000. */
function gridOf(groups) {
    const cells = new Map()
    const cellOf = (position) => clamp(Math.floor(position * GRID), 0, GRID - 1)
    for (const group of groups) {
        for (const dot of group.dots) {
            const key = cellOf(dot.y) * GRID + cellOf(dot.x)
            if (!cells.has(key)) cells.set(key, [])
            cells.get(key).push({ dot, group })
        }
    }
    /** The dot nearest to a place, within a reach that may differ across and down. */
    return function nearest(x, y, reachX, reachY) {
        let [found, least] = [null, 1]
        for (let row = cellOf(y - reachY); row <= cellOf(y + reachY); row++) {
            for (let column = cellOf(x - reachX); column <= cellOf(x + reachX); column++) {
                for (const candidate of cells.get(row * GRID + column) ?? []) {
                    const distance = ((candidate.dot.x - x) / reachX) ** 2 + ((candidate.dot.y - y) / reachY) ** 2
                    if (distance <= least) [found, least] = [candidate, distance]
                }
            }
        }
        return found
    }
}

/** The words of a title in lines; only a title that needs more lines than a label has is cut, after a word. */
export function labelLines(title, length = LABEL_CHARACTERS) {
    const lines = [""]
    for (const word of title.split(" ").map((word) => cutText(word, length))) {
        const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word
        if (Array.from(longer).length <= length) lines[lines.length - 1] = longer
        else lines.push(word)
    }
    return lines.length <= LABEL_LINES ? lines : [...lines.slice(0, LABEL_LINES - 1), `${lines[LABEL_LINES - 1].replace(/[\s,.:;…]+$/, "")}…`]
}

/** How many cells of the view hold a dot, or a part of one, up to each cell: sums from which any box is counted at once. */
export function dotSums(places, radius, width, height) {
    const [columns, rows] = [Math.ceil(width / CELL), Math.ceil(height / CELL)]
    const taken = new Uint8Array(columns * rows)
    const cellsOf = (centre, count) => [clamp(Math.floor((centre - radius) / CELL), 0, count), clamp(Math.ceil((centre + radius) / CELL), 0, count)]
    for (const [x, y] of places) {
        const [[left, right], [top, bottom]] = [cellsOf(x, columns), cellsOf(y, rows)]
        for (let row = top; row < bottom; row++) taken.fill(1, row * columns + left, row * columns + right)
    }
    const sums = new Uint32Array((columns + 1) * (rows + 1))
    for (let row = 0; row < rows; row++) {
        for (let column = 0, ofRow = 0; column < columns; column++) {
            ofRow += taken[row * columns + column]
            sums[(row + 1) * (columns + 1) + column + 1] = sums[row * (columns + 1) + column + 1] + ofRow
        }
    }
    const at = (column, row) => sums[clamp(row, 0, rows) * (columns + 1) + clamp(column, 0, columns)]
    return function isFree(left, top, right, bottom) {
        const [c0, r0, c1, r1] = [Math.floor(left / CELL), Math.floor(top / CELL), Math.ceil(right / CELL), Math.ceil(bottom / CELL)]
        return at(c1, r1) - at(c0, r1) - at(c1, r0) + at(c0, r0) === 0
    }
}

/**
 * Those of the boxes, the most important first, for which there is room near their dot: inside the map, over no dot and
 * no other label. A box has x and y of its dot, width and height; it gets left and top. What finds no room is left out.
 */
export function placeBoxes(boxes, isFree, width, height) {
    const placed = []
    const fits = (left, top, box) => left >= 4 && top >= 4 && left + box.width <= width - 4 && top + box.height <= height - 4 &&
        isFree(left - 2, top - 1, left + box.width + 2, top + box.height + 1) &&
        placed.every((other) => left > other.left + other.width + 8 || other.left > left + box.width + 8 ||
            top > other.top + other.height + 6 || other.top > top + box.height + 6)
    for (const box of boxes) {
        if (placed.length * PIXELS_PER_LABEL >= width * height) break
        search: for (const distance of LABEL_DISTANCES) {
            for (const [acrossX, acrossY] of DIRECTIONS) {
                const left = box.x + acrossX * (distance + box.width / 2) - box.width / 2
                const top = box.y + acrossY * (distance + box.height / 2) - box.height / 2
                if (!fits(left, top, box)) continue
                placed.push({ ...box, left, top })
                break search
            }
        }
    }
    return placed
}

// --- The map: view, paint and pointers ----------------------------------------------------------

/** The part of the map that is seen: from 0..1 to pixels and back, never past the map's edges. */
class View {
    width = 0
    height = 0
    scale = 1
    left = 0
    top = 0
    static MARGIN = 14
    get acrossX() { return (this.width - 2 * View.MARGIN) * this.scale }
    get acrossY() { return (this.height - 2 * View.MARGIN) * this.scale }
    toX(x) { return View.MARGIN + (x - this.left) * this.acrossX }
    toY(y) { return View.MARGIN + (y - this.top) * this.acrossY }
    fromX(x) { return (x - View.MARGIN) / this.acrossX + this.left }
    fromY(y) { return (y - View.MARGIN) / this.acrossY + this.top }
    shows(x, y) { return x > -8 && y > -8 && x < this.width + 8 && y < this.height + 8 }
    pan(byX, byY) {
        this.left = clamp(this.left - byX / this.acrossX, 0, 1 - 1 / this.scale)
        this.top = clamp(this.top - byY / this.acrossY, 0, 1 - 1 / this.scale)
    }
    /** The point at (x, y) keeps its place. */
    zoom(factor, x = this.width / 2, y = this.height / 2) {
        const [fixedX, fixedY] = [this.fromX(x), this.fromY(y)]
        this.scale = clamp(this.scale * factor, 1, MOST_ZOOM)
        this.pan(x - this.toX(fixedX), y - this.toY(fixedY))
    }
}

function paintDots(context, view, dots, radius, colour) {
    context.fillStyle = colour
    for (const dot of dots) {
        const [x, y] = [view.toX(dot.x), view.toY(dot.y)]
        if (!view.shows(x, y)) continue
        context.beginPath()
        context.arc(x, y, radius, 0, 2 * Math.PI)
        context.fill()
    }
}

/**
 * Two canvases, one above the other: all dots below, those of the pointed-at issue above. Pointing dims the lower one
 * as a whole, which costs nothing, and paints a few dots above: 20,000 are painted only when the view has changed.
 */
function createPainter(dots, light, view) {
    let [groups, count, theme] = [[], 0, {}]
    const contexts = [dots, light].map((canvas) => canvas.getContext("2d"))

    /** Dots that cover a steady share of the map, and grow slowly with the zoom. */
    const radius = () => clamp(Math.sqrt((0.1 * view.width * view.height) / (Math.max(count, 1) * Math.PI)), 1.3, 4) * view.scale ** 0.4

    function labelOf(group) {
        const isNarrow = view.width < 500
        const lines = labelLines(group.title, isNarrow ? NARROW_LABEL_CHARACTERS : LABEL_CHARACTERS)
        const font = `600 ${isNarrow ? 11 : 12.5}px ${theme.face}`
        contexts[1].font = font
        const width = Math.max(...lines.map((line) => contexts[1].measureText(line).width))
        return { lines, font, colour: theme.colours.get(group), x: view.toX(group.middle.x), y: view.toY(group.middle.y), width, height: lines.length * LINE_HEIGHT }
    }
    /** The labels of some groups, over no dot of some groups. */
    function placeLabels(labelled, uncovered) {
        const places = uncovered.flatMap((group) => group.dots.map((dot) => [view.toX(dot.x), view.toY(dot.y)])).filter(([x, y]) => view.shows(x, y))
        return placeBoxes(labelled.map(labelOf), dotSums(places, radius(), view.width, view.height), view.width, view.height)
    }
    function paintLabels(context, labels) {
        for (const { lines, font, colour, x, y, left, top, width, height } of labels) {
            // A line leads from the label to its dot.
            Object.assign(context, { strokeStyle: colour, lineWidth: 1 })
            context.beginPath()
            context.moveTo(clamp(x, left, left + width), clamp(y, top, top + height))
            context.lineTo(x, y)
            context.stroke()
            Object.assign(context, { strokeStyle: theme.paper, fillStyle: theme.ink, lineWidth: 4, font })
            lines.forEach((line, index) => {
                const [middle, height] = [left + width / 2, top + (index + 0.5) * LINE_HEIGHT]
                context.strokeText(line, middle, height)
                context.fillText(line, middle, height)
            })
        }
    }
    function clear(canvas, context) {
        const ratio = window.devicePixelRatio
        const [width, height] = [Math.round(view.width * ratio), Math.round(view.height * ratio)]
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
        context.setTransform(ratio, 0, 0, ratio, 0, 0)
        context.clearRect(0, 0, view.width, view.height)
        Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round" })
    }
    return {
        colourOf: (group) => theme.colours.get(group),
        show(newGroups) {
            groups = newGroups
            count = sum(groups.map((group) => group.dots.length))
        },
        /** Takes the colours from the page, which change with the system's light or dark. */
        readTheme(isDark) {
            const style = getComputedStyle(dots)
            const [paper, ink, muted] = ["--paper", "--ink", "--muted"].map((name) => style.getPropertyValue(name).trim())
            const colours = new Map(groups.map((group, rank) => [group, group.id === null ? muted : issueColour(rank, isDark)]))
            theme = { paper, ink, face: style.fontFamily, colours }
        },
        paintAll() {
            const [context] = contexts
            clear(dots, context)
            context.globalAlpha = 0.8
            for (const group of groups.toReversed()) paintDots(context, view, group.dots, radius(), theme.colours.get(group))
            context.globalAlpha = 1
            const seen = groups.filter((group) => group.middle && view.shows(view.toX(group.middle.x), view.toY(group.middle.y)))
            paintLabels(context, placeLabels(seen, groups))
        },
        paintLit(lit) {
            const context = contexts[1]
            clear(light, context)
            dots.classList.toggle("dimmed", Boolean(lit))
            if (!lit) return
            const litRadius = Math.max(2.5, radius() * 1.25)
            paintDots(context, view, lit.group.dots, litRadius, theme.colours.get(lit.group))
            // A dot's tooltip names the issue: there a label would only hide dots.
            if (!lit.dot) return paintLabels(context, placeLabels(lit.group.middle ? [lit.group] : [], [lit.group]))
            Object.assign(context, { strokeStyle: theme.ink, lineWidth: 2 })
            context.beginPath()
            context.arc(view.toX(lit.dot.x), view.toY(lit.dot.y), litRadius + 3, 0, 2 * Math.PI)
            context.stroke()
        },
    }
}

/** Turns the pointers over a surface into: hover, leave, tap, pan, zoom. A tap is a press that does not travel. */
function followPointers(surface, on) {
    const pressed = new Map()
    let travelled = 0
    const at = (event) => {
        const box = surface.getBoundingClientRect()
        return { x: event.clientX - box.left, y: event.clientY - box.top }
    }
    surface.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return
        surface.setPointerCapture(event.pointerId)
        pressed.set(event.pointerId, at(event))
        travelled = pressed.size > 1 ? Infinity : 0
    })
    surface.addEventListener("pointermove", (event) => {
        const [now, before] = [at(event), pressed.get(event.pointerId)]
        if (!before) return void (event.pointerType !== "touch" && on.hover(now))
        const [moveX, moveY] = [now.x - before.x, now.y - before.y]
        const other = [...pressed].find(([id]) => id !== event.pointerId)?.[1]
        pressed.set(event.pointerId, now)
        travelled += Math.hypot(moveX, moveY)
        if (other) {
            on.pan(moveX / 2, moveY / 2)
            const apart = (place) => Math.max(20, Math.hypot(place.x - other.x, place.y - other.y))
            on.zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2)
        } else if (travelled > (event.pointerType === "touch" ? 10 : 4)) {
            surface.classList.add("dragged")
            on.pan(moveX, moveY)
        }
    })
    const release = (event) => {
        const wasPressed = pressed.delete(event.pointerId)
        surface.classList.remove("dragged")
        if (wasPressed && event.type === "pointerup" && travelled <= 10) on.tap(at(event), event.pointerType)
    }
    surface.addEventListener("pointerup", release)
    surface.addEventListener("pointercancel", release)
    surface.addEventListener("pointerleave", (event) => event.pointerType !== "touch" && on.leave())
    // The wheel and one finger scroll the page. The wheel with Ctrl, or two fingers, move the map.
    surface.addEventListener("wheel", (event) => {
        if (!event.ctrlKey) return
        event.preventDefault()
        const { x, y } = at(event)
        on.zoom(2 ** (-event.deltaY / (event.deltaMode ? 6 : 200)), x, y)
    }, { passive: false })
    for (const name of ["touchstart", "touchmove"]) {
        surface.addEventListener(name, (event) => {
            if (event.touches.length > 1 && event.cancelable) event.preventDefault()
        }, { passive: false })
    }
}

// --- The map ------------------------------------------------------------------------------------

/**
 * The map of a day: each dot a post, alike ones near each other, in the colour of its issue; beside it the issues.
 * `points` are {id, issue, title, source, x, y}; `issues` is a Map of id to {title, category, size}.
 */
export function mapPicture({ points, issues, onOpen = () => {} }) {
    const view = new View()
    const dots = element("canvas", { class: "map-dots", "aria-hidden": "true" })
    const light = element("canvas", { class: "map-light", role: "img" })
    const painter = createPainter(dots, light, view)
    const darkness = matchMedia("(prefers-color-scheme: dark)")
    const tip = element("div", { class: "map-tip", hidden: true })
    const list = element("ul")
    const listBox = element("div", { class: "map-list", role: "group", "aria-label": "Topics on the map" }, list)
    const zoomButton = (text, label, onclick) => element("button", { type: "button", "aria-label": label, title: label, onclick }, text)
    const reset = zoomButton("Reset", "Reset the view to the whole map", () => zoom(0))
    const stage = element("div", { class: "map-stage" }, dots, light, tip)
    const zoomButtons = element("div", { class: "map-zoom", role: "group", "aria-label": "Zoom" }, reset,
        zoomButton("−", "Zoom out", () => zoom(1 / 1.6)), zoomButton("+", "Zoom in", () => zoom(1.6)))
    const note = element("span")
    const figure = element("figure", { class: "picture map-picture" },
        caption("The map", note), zoomButtons, element("div", { class: "map-layout" }, stage, listBox))

    let [buttons, nearest] = [new Map(), () => null]
    let lit = null // {group, dot}: what is pointed at, on the map (with its dot) or in the list
    let opening = 0
    let frame = 0
    let viewChanged = false

    function repaint(all = true) {
        viewChanged ||= all
        frame ||= requestAnimationFrame(() => {
            frame = 0
            if (!view.width) return
            if (viewChanged) painter.paintAll()
            viewChanged = false
            painter.paintLit(lit)
        })
    }

    function point(to, isTouch = false) {
        const changed = lit?.group !== to?.group
        if (!changed && lit?.dot === to?.dot && !isTouch) return
        buttons.get(lit?.group)?.classList.remove("lit")
        buttons.get(to?.group)?.classList.add("lit")
        lit = to
        light.classList.toggle("on-dot", Boolean(to?.dot && to.group.id))
        // The legend shows the issue too. Only its own box is scrolled, never the page.
        const button = buttons.get(to?.group)
        if (changed && button && to.dot) listBox.scrollTop = button.offsetTop - listBox.clientHeight / 2
        showTip(isTouch)
        repaint(false)
    }

    function showTip(isTouch) {
        tip.hidden = !lit?.dot
        if (!lit?.dot) return
        const { group, dot } = lit
        tip.classList.toggle("touched", isTouch)
        tip.replaceChildren(
            element("p", { class: "map-tip-post", dir: "auto" }, cutText(plainText(dot.title) || "Untitled", 200)),
            element("p", { class: "map-tip-issue" },
                SOURCE_NAMES[dot.source] ?? plainText(dot.source), group.id ? " · " : "", element("bdi", {}, group.title)))
        if (isTouch && group.id) tip.append(element("button", { type: "button", onclick: () => onOpen(group.id) }, "Open topic"))
        const [x, y] = [view.toX(dot.x), view.toY(dot.y)]
        const left = clamp(x - tip.offsetWidth / 2, 4, Math.max(4, view.width - tip.offsetWidth - 4))
        const above = y - tip.offsetHeight - 14
        tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(above > 4 ? above : y + 14)}px)`
    }

    const dotAt = ({ x, y }) => nearest(view.fromX(x), view.fromY(y), REACH / view.acrossX, REACH / view.acrossY)

    /** 0 shows the whole map. */
    function zoom(factor, x, y) {
        view.zoom(factor, x, y)
        light.classList.toggle("zoomed", view.scale > 1)
        reset.disabled = view.scale === 1
        point(null)
        repaint()
    }

    followPointers(light, {
        hover: (place) => point(dotAt(place)),
        leave: () => point(null),
        tap(place, pointerType) {
            const found = dotAt(place)
            const isTouch = pointerType === "touch"
            if (isTouch && lit?.group !== found?.group) return point(found, true)
            clearTimeout(opening)
            // Wait for a possible double-click, which zooms.
            if (found?.group.id) opening = setTimeout(() => onOpen(found.group.id), isTouch ? 0 : 250)
            else point(found, isTouch)
        },
        pan(byX, byY) {
            view.pan(byX, byY)
            point(null)
            repaint()
        },
        zoom,
    })
    light.addEventListener("dblclick", (event) => {
        clearTimeout(opening)
        if (event.pointerType !== "touch") zoom(2, event.offsetX, event.offsetY)
    })
    figure.addEventListener("keydown", (event) => event.key === "Escape" && point(null))

    function recolour() {
        painter.readTheme(darkness.matches)
        for (const [group, button] of buttons) button.firstChild.style.backgroundColor = painter.colourOf(group)
        repaint()
    }

    figure.update = (data) => {
        const groups = groupByIssue(data.points, data.issues)
        const listed = groups.filter((group) => group.id !== null)
        const number = sum(groups.map((group) => group.dots.length))
        buttons = new Map(listed.map((group) => [group, element("button", {
            type: "button",
            onclick: () => onOpen(group.id),
            onpointerenter: () => point({ group }), onpointerleave: () => point(null),
            onfocus: () => point({ group }), onblur: () => point(null),
        }, element("span", { class: "swatch" }), element("bdi", {}, group.title),
        element("span", { class: "number" }, formatNumber(group.size),
            element("span", { class: "unseen" }, group.size === 1 ? " post" : " posts")))]))
        list.replaceChildren(...[...buttons.values()].map((button) => element("li", {}, button)))
        listBox.hidden = !listed.length
        light.setAttribute("aria-label", `Map of ${count(number, "post")} in ${count(listed.length, "topic")}, which are listed after it`)
        note.textContent = number
            ? `${count(number, "post")}; those alike stand together. Zoom with + and −, a pinch, or Ctrl and the wheel.`
            : "No post of this day has a place yet."
        nearest = gridOf(groups)
        point(null)
        painter.show(groups)
        recolour()
    }

    // Out of the document the stage has no size: there the page's colours are not listened to, so that nothing holds the figure.
    const sizes = new ResizeObserver(() => {
        [view.width, view.height] = [stage.clientWidth, stage.clientHeight]
        darkness.removeEventListener("change", recolour)
        if (!view.width) return
        darkness.addEventListener("change", recolour)
        recolour()
    })
    sizes.observe(stage)
    figure.destroy = () => {
        sizes.disconnect()
        darkness.removeEventListener("change", recolour)
        cancelAnimationFrame(frame)
        clearTimeout(opening)
    }
    reset.disabled = true
    figure.update({ points, issues })
    return figure
}
