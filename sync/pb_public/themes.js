// The board of themes: areas that people complain about, the most voices first.

import { startBoard } from "./board.js"
import { all, containsWords, fetchAll, fetchByIds, fetchCount, fetchFirst, fetchRecords, from, until } from "./api.js"
import { element, span } from "./dom.js"
import { figures, loadPictures, postList, put, section, sinceText, slot, sourceLabels, trendLabel, trendText } from "./posts.js"
import { sparkline } from "./sparkline.js"
import { bySize, count, dayOf, formatDay, formatNumber, sourceName } from "./words.js"

const STATUSES = { active: "Active", dormant: "Quiet", all: "Any" }
const SORTS = { voices: "Voices", newest: "Newest", recent: "Heard lately", problems: "Problems" }
const ORDERS = {
    voices: "-voices,id", newest: "-first_seen,-voices,id", recent: "-recent_voices,-voices,id",
    problems: "-problem_count,-voices,id",
}
const FIELDS = "id,content_hash,title,central_title,status,trend,voices,problem_count,source_counts,daily_voices,first_seen,last_seen"
const FILE_FIELDS = ["title", "central_title", "status", "trend", "voices", "recent_voices", "earlier_voices", "post_count", "problem_count", "source_counts",
    "first_seen", "last_seen"]
const SPARK_DAYS = 21

let latestDay = ""
let large = null // the module of the large pictures, when a theme is opened

function filterOf(state) {
    return all(
        state.status !== "all" && `status = "${state.status}"`,
        from("last_seen", state.from), until("first_seen", state.to),
        state.source && `source_counts.${state.source} > 0`,
        containsWords(state.q, ["title", "central_title"]),
    )
}

async function fetchPage(state, page, perPage, withTotal, signal) {
    const [latest, answer] = await Promise.all([
        withTotal ? fetchFirst("themes", { sort: "-last_seen", fields: "last_seen" }, signal) : null,
        fetchRecords("themes", {
            filter: filterOf(state), sort: ORDERS[state.sort], fields: FIELDS, page, perPage, ...(withTotal ? {} : { skipTotal: 1 }),
        }, signal),
    ])
    if (latest) latestDay = dayOf(latest.last_seen)
    return answer
}

const fetchWhole = (state, fields) => fetchAll("themes", { filter: filterOf(state), sort: ORDERS[state.sort], fields })

const problemCount = ({ problem_count: problems }) => (problems ? count(problems, "problem") : "no problem yet")

function listItem(theme, position, { hrefOf }) {
    return element("li", { class: "entry problem" },
        element("p", { class: "rank", "data-position": true }, String(position + 1)),
        element("div", { class: "what" },
            element("h2", { dir: "auto" }, element("a", { href: hrefOf({ theme: theme.id }), "data-inside": "open" }, theme.title)),
            theme.central_title && theme.central_title !== theme.title
                ? element("p", { class: "said" }, span("muted", "Such as"), " ", element("q", { dir: "auto" }, theme.central_title)) : null,
            element("p", { class: "labels" },
                theme.status === "active" ? null : span("standing", STATUSES[theme.status] ?? String(theme.status)),
                span("muted", problemCount(theme)),
                sourceLabels(theme)),
        ),
        element("div", { class: "measure" },
            element("p", { class: "voices" }, element("strong", {}, formatNumber(theme.voices)), theme.voices === 1 ? " voice" : " voices"),
            element("div", { class: "spark" }, sparkline(theme.daily_voices ?? {}, { days: SPARK_DAYS, until: latestDay || dayOf(theme.last_seen) })),
            element("p", { class: "moved" }, span("muted", sinceText(theme, latestDay || dayOf(theme.last_seen))), " ", trendLabel(theme)),
        ),
    )
}

/** The problems in a theme, the one with the most posts in it first: [{id, title, voices, posts}]. */
async function problemsOf(theme, signal) {
    const posts = await fetchAll("theme_posts", { filter: `theme = "${theme.id}" && problem != ""`, fields: "id,problem" }, signal)
    const counts = new Map()
    for (const { problem } of posts) counts.set(problem, (counts.get(problem) ?? 0) + 1)
    const problems = await fetchByIds("problems", [...counts.keys()], { fields: "id,title,voices" }, signal)
    return problems.map((problem) => ({ ...problem, posts: counts.get(problem.id) })).sort((a, b) =>
        b.posts - a.posts || a.id.localeCompare(b.id))
}

function openedView(first) {
    const controller = new AbortController()
    const posts = postList({
        collection: "theme_posts",
        filter: `theme = "${first.id}"`,
        sort: "-is_first_of_voice,-similarity,id",
        fields: "is_first_of_voice",
        title: (total) => `${count(total, "post")} in it`,
        total: first.post_count,
    })
    const problemsSlot = slot("problems")
    let theme = first

    function parts(record) {
        theme = record
        posts.retitle(record.post_count)
        fillProblems()
        return [
            element("header", { "data-part": "head" },
                element("p", { class: "labels" }, record.status === "active" ? null : span("standing", STATUSES[record.status]), trendLabel(record)),
                element("h1", { tabindex: "-1", dir: "auto" }, record.title),
                record.central_title && record.central_title !== record.title
                    ? element("p", { class: "description" }, "Such as ", element("q", { dir: "auto" }, record.central_title)) : null),
            section("numbers", "Figures",
                figures([
                    ["Voices", formatNumber(record.voices), bySize(record.source_counts).map(([source]) => sourceName(source)).join(", ")],
                    ["Posts", formatNumber(record.post_count)],
                    ["Problems", formatNumber(record.problem_count), "groups of posts that say the same"],
                    ["First heard", formatDay(dayOf(record.first_seen))],
                    ["Last heard", formatDay(dayOf(record.last_seen))],
                ]),
                element("p", { class: "trend-text" }, trendText(record))),
            problemsSlot,
            section("days", "When it was heard", large.voicesPicture([record])),
            posts.node,
        ]
    }

    async function fillProblems() {
        const asked = theme
        try {
            const problems = await problemsOf(asked, controller.signal)
            if (asked !== theme) return
            put(problemsSlot, problems.length ? section("problems", "Problems in it", element("ul", { class: "related", role: "list" }, problems.map((problem) =>
                element("li", {}, span("muted", count(problem.posts, "post")), element("span", {},
                    element("a", { href: `./?problem=${encodeURIComponent(problem.id)}`, dir: "auto" }, problem.title),
                    " ", span("muted", `${count(problem.voices, "voice")} in all`)))))) : null)
        } catch { /* The posts, fetched at the same time, say that the server cannot be reached. */ }
    }

    posts.list.load()
    return {
        parts,
        posts: { collection: "theme_posts", filter: `theme = "${first.id}"` },
        refresh: () => posts.list.refresh(null),
        close() {
            controller.abort()
            posts.list.stop()
        },
    }
}

async function pictures(state, { signal, progress }) {
    const themes = await fetchAll("themes", { filter: filterOf(state), sort: "-voices,id", fields: "id,daily_voices" }, signal,
        (loaded) => progress(`Loading… ${count(loaded, "theme")}`))
    if (!themes.length) return [element("p", { class: "muted" }, "No theme matches: there is nothing to draw.")]
    return [(await loadPictures()).voicesPicture(themes)]
}

startBoard({
    collection: "themes",
    item: "theme",
    noun: { one: "theme", many: "themes" },
    statuses: STATUSES,
    sorts: SORTS,
    fetchPage, fetchWhole, listItem, openedView, pictures,
    async prepareOpened() { large = await loadPictures() },
    fileFields: FILE_FIELDS,
    titleOf: ({ title }) => title,
    searched: "Search titles",
    filters: ["q", "date", "from", "to", "status", "source"],
    countText: (state, total, set) => {
        const standing = state.status === "all" ? "" : `${STATUSES[state.status].toLowerCase()} `
        const matching = set.some((name) => name !== "status")
        return `${count(total, `${standing}theme`)}${matching ? (total === 1 ? " matches" : " match") : ""}`
    },
    // Sparklines end on the latest day.
    dependsOn: () => latestDay,
    backText: "All themes",
    missingTitle: "This theme is not on the board",
    missingText: "Its posts may have gone to other themes, or the address is not whole.",
    goneText: "This theme has left the board meanwhile: its posts have gone to other themes.",
    async emptyNotice(notice) {
        const others = await fetchCount("themes", "").catch(() => 0)
        notice.append(others
            ? element("p", {}, `None is active now: ${count(others, "theme")} went quiet. `,
                element("a", { href: "?status=all", "data-inside": "all" }, "Show all"))
            : element("p", {}, "No themes yet. A theme needs complaints of five people, or as many as var theme_voices says, about one area within two weeks."))
    },
})
