// The board of problems: what hurts, ranked by the demand for a remedy.

import { startBoard } from "./board.js"
import { MOST_PER_PAGE, RECORD_ID, all, contains, containsWords, fetchAll, fetchByIds, fetchCount, fetchFirst, fetchRecords, from, text, until } from "./api.js"
import { element, span, spoken } from "./dom.js"
import {
    TRENDS, categoryLabel, described, figures, impactLabel, loadPictures, madeBy, payLabel, postList, put, quoteList, replaceParts, section, sharedPosts, sinceText, slot, sourceLabels, tellingQuotes,
    trendLabel, trendText,
} from "./posts.js"
import { sparkline } from "./sparkline.js"
import { IMPACTS, TIERS, count, dayOf, formatDay, formatNumber, formatScore, formatWeekday, percent, sourceName } from "./words.js"

const STATUSES = { active: "Active", dormant: "Quiet", closed: "Closed", all: "Any" }
const SORTS = { demand: "Demand", voices: "Voices", newest: "Newest", growing: "Growing" }
const ORDERS = {
    demand: "is_burst,-demand_score,id",
    voices: "is_burst,-voices,-demand_score,id",
    newest: "-first_seen,-demand_score,id",
}
const FIELDS = "id,content_hash,title,category,impact_level,would_pay_signal,status,trend,tier,is_edited,is_from_program,is_burst,voices,paying_voices,demand_score," +
    "source_counts,names,quotes,daily_voices,first_seen,last_seen"
const FILE_FIELDS = ["title", "category", "description", "impact_level", "status", "trend", "tier", "agreement", "demand_score", "voices", "recent_voices",
    "earlier_voices", "paying_voices", "would_pay_signal", "post_count", "source_count", "days_seen", "source_counts", "names", "quotes", "is_edited", "is_burst",
    "labeler", "first_seen", "last_seen"]
const SPARK_DAYS = 21
// The daily bars of a problem become bars of weeks when it is older than this.
const WEEKS = 4

let latestDay = ""
let board = null
let large = null // the module of the large pictures, when a problem is opened

// An old address: the first page used to show the issues.
const oldIssue = location.hash.slice(1)
if (RECORD_ID.test(oldIssue)) location.replace(`issues.html?issue=${oldIssue}`)

// Those that programs wrote stand apart, so that they do not crowd out people.
const OF_PEOPLE = "is_from_program = false", OF_PROGRAMS = "is_from_program = true"

function filterOf(state, who = OF_PEOPLE) {
    return all(
        who,
        state.status !== "all" && `status = "${state.status}"`,
        state.tier && `tier = "${state.tier}"`,
        // The time from first_seen to last_seen overlaps the range.
        from("last_seen", state.from), until("first_seen", state.to),
        state.category && `category = "${state.category}"`,
        state.impact && `impact_level = "${state.impact}"`,
        state.pay && `would_pay_signal = ${state.pay === "yes"}`,
        state.source && `source_counts.${state.source} > 0`,
        // The names are a list, which PocketBase searches as its JSON text.
        state.name && contains("names", JSON.stringify({ name: state.name }).slice(1, -1)),
        state.labeller && `labeler = ${text(state.labeller)}`,
        containsWords(state.q, ["title", "description", "search_text"]),
    )
}

async function fetchPage(state, page, perPage, withTotal, signal) {
    if (!withTotal) return fetchOrdered(state, page, perPage, withTotal, signal)
    // A server of an earlier version has no searches, figures or names.
    const [answer, latest, search, figures] = await Promise.all([
        fetchOrdered(state, page, perPage, withTotal, signal),
        fetchFirst("problems", { sort: "-last_seen", fields: "last_seen" }, signal),
        fetchFirst("searches", { sort: "-search_date", fields: "search_date,window_posts,window_complaints" }, signal).catch(() => null),
        fetchAll("week_figures", { sort: "position" }, signal).catch(() => []),
    ])
    sayAsOf(latest, search)
    sayWeek(figures)
    // What no reader sees first comes after the list.
    showPrograms(state)
    fetchAll("watched_names", { sort: "position", fields: "name" }, signal).then(
        (names) => board.offer("name", names.map(({ name }) => name)), () => {})
    return answer
}

/** The day that the list is as of: the latest one that was searched, or on which a problem was heard. */
function sayAsOf(latest, search) {
    const heard = latest ? dayOf(latest.last_seen) : "", searched = search ? dayOf(search.search_date) : ""
    latestDay = heard > searched ? heard : searched
    const posts = searched === latestDay && search?.window_posts
    document.getElementById("as-of").textContent = !latestDay ? "Problems that people complain about in public" : `As of ${formatWeekday(latestDay)}` +
        (posts ? `, from ${count(posts, "post")}, ${formatNumber(search.window_complaints)} of them complaints` : "")
}

// What this week is compared with last week by, in the order of the sentence.
const FIGURES = {
    voices: (number) => count(number, "voice"),
    problems_opened: (number) => count(number, "new problem"),
    problems_reopened: (number) => `${formatNumber(number)} back again`,
    problems_silent: (number) => `${formatNumber(number)} gone quiet`,
    own_mentions: (number) => `${count(number, "post")} on your product`,
}

/** This week against last, in one line. Nothing without a last week, or if nothing happened in either. */
function sayWeek(figures) {
    const line = document.getElementById("week")
    const known = new Map(figures.map((figure) => [figure.figure, figure]))
    const told = Object.keys(FIGURES).map((name) => known.get(name)).filter((figure) => figure && (figure.this_week || figure.last_week))
    line.hidden = !told.length || !told[0].days_last_week || dayOf(told[0].as_of_date) !== latestDay
    if (line.hidden) return line.replaceChildren()
    const [{ days_this_week: days, days_last_week: daysBefore }] = told
    line.textContent = `This week ${told.map(({ figure, this_week: now, last_week: before }, place) =>
        `${FIGURES[figure](now)} (${place ? "" : "last week "}${formatNumber(before)})`).join(", ")}` +
        // Days that were not built make one of the weeks smaller.
        (days === daysBefore ? "" : `. Days read: ${formatNumber(days)} (last week ${formatNumber(daysBefore)})`)
}

function fetchOrdered(state, page, perPage, withTotal, signal, filter = filterOf(state)) {
    if (state.sort === "growing") return fetchGrowing(filter, page, perPage, FIELDS, signal)
    return fetchRecords("problems", {
        filter, sort: ORDERS[state.sort], fields: FIELDS, page, perPage, ...(withTotal ? {} : { skipTotal: 1 }),
    }, signal)
}

// Growth is a difference of two fields. PocketBase can not sort by it, so the ids are sorted here.
async function fetchGrowing(filter, page, perPage, fields, signal) {
    const order = Object.keys(TRENDS)
    const problems = await fetchAll("problems", {
        filter, sort: "-demand_score,id", fields: "id,trend,recent_voices,earlier_voices",
    }, signal)
    const growth = ({ recent_voices: recent, earlier_voices: earlier }) => recent - earlier
    problems.sort((a, b) => order.indexOf(a.trend) - order.indexOf(b.trend) || growth(b) - growth(a))
    const ids = problems.slice((page - 1) * perPage, page * perPage).map(({ id }) => id)
    const records = new Map((await fetchByIds("problems", ids, { fields }, signal)).map((record) => [record.id, record]))
    return { items: ids.map((id) => records.get(id)).filter(Boolean), totalItems: problems.length }
}

/** All problems of the list, in its order. */
async function fetchWhole(state, fields) {
    const filter = filterOf(state)
    if (state.sort === "growing") return (await fetchGrowing(filter, 1, Number.MAX_SAFE_INTEGER, fields)).items
    return fetchAll("problems", { filter, sort: ORDERS[state.sort], fields })
}

// --- The list -----------------------------------------------------------------------------------

// A record of an earlier version has no tier.
const tierLabel = ({ tier }) => (TIERS[tier] ? span(`tier tier-${tier}`, spoken("How sure: "), TIERS[tier]) : null)
// A person has renamed the problem, or moved posts.
const editedLabel = ({ is_edited: isEdited }) => (isEdited ? span("edited", "Edited") : null)
const programLabel = ({ is_from_program: isFromProgram }) => (isFromProgram ? span("edited", "Written by programs") : null)
// Copies under many new names, in little time.
const burstLabel = ({ is_burst: isBurst }) => (isBurst ? span("edited", "Burst of copies") : null)
// The names of the watchlist that its posts mention, in the order of the watchlist.
const NAMES_SHOWN = 3
function nameLabels({ names }) {
    if (!names?.length) return null
    const more = names.length - NAMES_SHOWN
    return element("span", { class: "watched" }, span("muted", "Mentions "), names.slice(0, NAMES_SHOWN).flatMap(({ name, side }, place) => [
        place ? ", " : null, element("bdi", { class: side === "own" && "own" }, name)]), more > 0 ? span("muted", ` and ${more} more`) : null)
}
const statusLabel = ({ status }) => (status === "active" ? null : span("standing", STATUSES[status] ?? String(status)))

function listItem(problem, position, { hrefOf }) {
    const [quote] = tellingQuotes(problem.quotes ?? [], problem)
    return element("li", { class: "entry problem" },
        element("p", { class: "rank", "data-position": true }, String(position + 1)),
        element("div", { class: "what" },
            // The title gives the direction of both: the tier stands after its last word.
            element("div", { class: "headline", dir: "auto" },
                element("h2", {}, element("a", { href: hrefOf({ problem: problem.id }), "data-inside": "open" }, problem.title)),
                tierLabel(problem), editedLabel(problem), burstLabel(problem)),
            quote && element("p", { class: "said" },
                span("muted", sourceName(quote.source)), " ", element("q", { dir: "auto" }, quote.quote)),
            element("p", { class: "labels" },
                categoryLabel(problem), impactLabel(problem), payLabel(problem), statusLabel(problem),
                sourceLabels(problem), nameLabels(problem)),
        ),
        element("div", { class: "measure" },
            element("p", { class: "voices" }, element("strong", {}, formatNumber(problem.voices)), problem.voices === 1 ? " voice" : " voices"),
            element("div", { class: "spark" }, sparkline(problem.daily_voices ?? {}, { days: SPARK_DAYS, until: latestDay || dayOf(problem.last_seen) })),
            element("p", { class: "moved" }, span("muted", sinceText(problem, latestDay || dayOf(problem.last_seen))), " ", trendLabel(problem)),
        ),
    )
}

// --- Written by programs: below the list, folded ------------------------------------------------

const programs = document.getElementById("programs")
let programsShown = null // {state, controller}: what the fold shows
let linkOf = null

/** Counts them, and lists them if the fold is open. The server's error is already said above. */
async function showPrograms(state) {
    programsShown?.controller.abort()
    const controller = new AbortController()
    programsShown = { state, controller }
    const filter = filterOf(state, OF_PROGRAMS)
    try {
        const total = await fetchCount("problems", filter, controller.signal)
        const { items } = programs.open && total
            ? await fetchOrdered(state, 1, Math.min(total, MOST_PER_PAGE), false, controller.signal, filter)
            : { items: [] }
        if (controller.signal.aborted) return
        programs.hidden = !total
        programs.querySelector("summary").textContent = `Written by programs: ${count(total, "problem")}`
        document.getElementById("programs-list").replaceChildren(
            ...items.map((problem, position) => listItem(problem, position, { hrefOf: linkOf })))
    } catch { /* The list, fetched at the same time, says that the server cannot be reached. */ }
}

programs.addEventListener("toggle", () => programsShown && showPrograms(programsShown.state))

// --- A problem, opened --------------------------------------------------------------------------

const PARTS = [
    ["voices_score", "Voices", (p) => `${count(p.wordings, "wording")} of ${count(p.voices, "voice")}: the more, the slower it grows` +
        // Voices that only half complain count up to the number of the others.
        (p.weak_voices * 2 > p.voices ? "; of those that only half complain, no more count than of the others" : "")],
    ["engagement_score", "Engagement", () => "comments and votes on the posts; one viral post adds little"],
    ["sources_score", "Sources", (p) => `${count(p.source_count, "source")}: two for each beyond the first`],
    ["persistence_score", "Persistence", (p) => `heard on ${count(p.days_seen, "day")}`],
    ["payment_score", "Payment", (p) => `${count(p.paying_voices, "voice")} ${p.paying_voices === 1 ? "speaks" : "speak"} of paying`],
    ["certainty_score", "Certainty", () => "how surely they complain, beyond what may be a mere question"],
    ["urgency_score", "Urgency", () => "people who complain within one hour in words of their own, beyond what is usual"],
    ["agreement_score", "Agreement", () => "16 times the chance that two of its posts say the same"],
]

function demandTable(problem) {
    return element("details", { class: "fold" },
        element("summary", {}, `How the demand score of ${formatScore(problem.demand_score)} adds up`),
        element("table", {},
            element("thead", {}, element("tr", {},
                element("th", { scope: "col" }, "Part"), element("th", { scope: "col" }, "What it counts"), element("th", { scope: "col", class: "number" }, "Score"))),
            element("tbody", {}, PARTS.map(([field, name, what]) => element("tr", {},
                element("th", { scope: "row" }, name), element("td", { class: "muted" }, what(problem)),
                element("td", { class: "number" }, formatScore(problem[field]))))),
            element("tfoot", {}, element("tr", {},
                element("th", { scope: "row" }, "Demand"), element("td", {}),
                element("td", { class: "number" }, formatScore(problem.demand_score)))),
        ))
}

const hrefOfName = (name) => `?${new URLSearchParams({ name })}`
const SIDES = { own: "yours", competitor: "a competitor" }

/** Which names of the watchlist the posts mention, each with a link to all problems that do. */
function namesOf({ names, voices }) {
    if (!names?.length) return null
    return element("p", { class: "names" }, span("muted", "Mentions "), names.flatMap(({ name, side, voices: number }, place) => [
        place ? ", " : null,
        element("a", { href: hrefOfName(name), "data-inside": "name", dir: "auto" }, name),
        span("muted", ` (${SIDES[side] ?? String(side)}, ${formatNumber(number)} of ${count(voices, "voice")})`),
    ]))
}

/** How similar the texts are, in words. That they say the same is for the chance to tell. */
function alike(cohesion) {
    if (cohesion < 0.8) return "Look twice: the posts may not all be about one thing"
    return cohesion < 0.9 ? "The texts are much alike" : "The texts are nearly the same"
}

const SURENESS = { certain: "One problem, or one program", likely: "One problem, or closely related ones", emerging: "One subject; read the posts" }

/** How sure it is that the posts are one problem: a figure. Nothing for a record of an earlier version. */
function sureness({ tier, agreement }) {
    if (!TIERS[tier]) return null
    // Rounded down, so that a chance below the limit of a tier is not shown as the limit. The small addition is for
    // values such as 0.29: 0.29 * 100 is a little less than 29.
    const chance = Math.floor(agreement * 100 + 1e-9) / 100
    return ["One problem?", SURENESS[tier], agreement
        ? `Two of its posts say the same with a chance of ${percent(chance)}`
        : "The chance that two of its posts say the same is not known"]
}

/** In how many wordings it is told, and by how many new accounts. Nothing for a record of an earlier version. */
function wordingsOf({ wordings, accounts, new_accounts: newAccounts }) {
    if (!wordings) return null
    return ["Different wordings", formatNumber(wordings),
        newAccounts ? `${formatNumber(newAccounts)} of ${count(accounts, "account")} first seen on the day they wrote` : null]
}

const EVENTS = {
    opened: (posts) => `Opened by ${posts}`, continued: (posts) => `Heard again: ${posts}`,
    dormant: () => "Went quiet", reopened: (posts) => `Heard again after a silence: ${posts}`,
    closed: () => "Closed", "merged into": (posts) => `Merged into another (${posts}): `, "split from": (posts) => `Split from another (${posts}): `,
}

const isLong = ({ weeks }) => (weeks?.length ?? 0) >= WEEKS

function history(problem, titles, hrefOf) {
    // The bars of the weeks say when it was heard again.
    const events = (problem.events ?? []).filter(({ event }) => event !== "continued" || !isLong(problem))
    if (!events.length) return null
    return section("history", "What happened to it", element("ol", { class: "events", role: "list" }, events.map((event) => {
        const related = event.related_problem_id
        return element("li", {},
            element("time", { class: "muted", datetime: event.event_date }, formatDay(event.event_date)),
            element("span", {}, EVENTS[event.event]?.(count(event.posts, "post")) ?? String(event.event),
                !related ? null : titles.has(related)
                    ? element("a", { href: hrefOf({ problem: related }), "data-inside": "related", dir: "auto" }, titles.get(related))
                    : span("muted", "one that is no longer on the board")))
    })))
}

/** The issues that hold posts of a problem, newest first: [{id, canonical_title, cluster_date, posts}]. */
async function issuesOf(problem, signal) {
    const counts = await sharedPosts(
        { collection: "problem_posts", filter: `problem = "${problem.id}"` }, { collection: "issue_evidence", field: "issue" }, signal)
    const issues = await fetchByIds("issues", [...counts.keys()], { fields: "id,canonical_title,cluster_date" }, signal)
    return issues.map((issue) => ({ ...issue, posts: counts.get(issue.id) })).sort((a, b) =>
        b.cluster_date.localeCompare(a.cluster_date) || b.posts - a.posts || a.id.localeCompare(b.id))
}

/** The theme with most posts of a problem; null if there is none. */
async function themeOf(problem, signal) {
    const posts = await fetchAll("theme_posts", { filter: `problem = "${problem.id}"`, fields: "id,theme" }, signal)
    const counts = new Map()
    for (const { theme } of posts) counts.set(theme, (counts.get(theme) ?? 0) + 1)
    const [most] = [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
    return most ? fetchFirst("themes", { filter: `id = "${most[0]}"`, fields: "id,title,voices" }, signal) : null
}

const sure = (problem) => section("sure", "How sure", figures([
    sureness(problem),
    // Rounded down, so that a value below 0.8 is not shown as 0.80.
    ["How alike", alike(problem.cohesion), `Mean similarity of the posts: ${formatScore(Math.floor(problem.cohesion * 100) / 100)} of 1`],
    // A record of an earlier version has none.
    problem.weak_voices ? ["Complain", `${formatNumber(problem.voices - problem.weak_voices)} of ${count(problem.voices, "voice")}`, problem.weak_voices === 1 ? "The other one tells of it, but only half complains" : "The others tell of it, but only half complain"] : null,
    wordingsOf(problem),
    problem.posts_in_hour > 1 ? ["Posts", formatNumber(problem.post_count), `At most ${formatNumber(problem.posts_in_hour)} in an hour`] : null,
]))

function worth(problem) {
    const { paying_voices: paying, voices } = problem
    return section("worth", "What a remedy would be worth",
        figures([
            ["Would pay", paying ? `${formatNumber(paying)} of ${formatNumber(voices)}` : problem.would_pay_signal ? "Yes" : "No sign",
                paying ? `${paying === 1 ? "voice speaks" : "voices speak"} of paying` : null],
            ["Impact", IMPACTS[problem.impact_level] ?? "Not known"],
            ["Demand", formatScore(problem.demand_score), "the score that ranks the problems"],
        ]),
        demandTable(problem))
}

function issueSection(issues) {
    if (!issues.length) return null
    return section("issues", "Topics that hold its posts", element("ul", { class: "related", role: "list" }, issues.map((issue) =>
        element("li", {},
            element("time", { class: "muted", datetime: dayOf(issue.cluster_date) }, formatDay(dayOf(issue.cluster_date))),
            element("span", {}, element("a", { href: `issues.html?issue=${encodeURIComponent(issue.id)}`, dir: "auto" }, issue.canonical_title),
                " ", span("muted", count(issue.posts, "post")))))))
}

function openedView(first, { hrefOf }) {
    const controller = new AbortController()
    const posts = postList({
        collection: "problem_posts",
        filter: `problem = "${first.id}"`,
        sort: "-is_first_of_voice,-similarity,id",
        fields: "is_first_of_voice,is_weak",
        title: (total) => `${count(total, "post")} behind it`,
        total: first.post_count,
    })
    // The theme, the history and the issues load after the rest.
    const slots = { theme: slot("theme"), history: slot("history"), issues: slot("issues") }
    const facts = element("div", { class: "aside", "data-part": "facts" })
    let problem = first

    function parts(record) {
        problem = record
        posts.retitle(record.post_count)
        fillSlots()
        replaceParts(facts, [sure(record), heard(record), slots.history, worth(record)])
        return [
            element("header", { "data-part": "head" },
                element("p", { class: "labels" }, tierLabel(record), categoryLabel(record), impactLabel(record), payLabel(record), statusLabel(record), editedLabel(record), programLabel(record), burstLabel(record)),
                element("h1", { tabindex: "-1", dir: "auto" }, record.title),
                described(record, record.title),
                element("p", { class: "brief" },
                    element("strong", {}, count(record.voices, "voice")), ` ${sinceText(record)}`, trendLabel(record)),
                namesOf(record)),
            quoteList(record.quotes ?? [], record, "Who says so", element("p", { class: "labels" }, sourceLabels(record))),
            facts,
            posts.node, slots.theme, slots.issues,
            madeBy(record),
        ].filter(Boolean)
    }

    // A new drawing would lose the position of the pointer.
    let heardFor = null, heardNode = null
    function heard(record) {
        const text = `${trendText(record)}${record.days_seen > 1 ? ` Heard on ${count(record.days_seen, "day")}, last on ${formatDay(dayOf(record.last_seen))}.` : ""}`
        const drawnFor = JSON.stringify([text, record.daily_voices, record.weeks])
        if (drawnFor !== heardFor) heardNode = section("days", "How it moved", element("p", { class: "trend-text" }, text),
            isLong(record) ? large.weeksPicture(record.weeks) : large.voicesPicture([record]))
        heardFor = drawnFor
        return heardNode
    }

    async function fillSlots() {
        const asked = problem
        const related = (asked.events ?? []).map((event) => event.related_problem_id).filter(Boolean)
        try {
            const [problems, issues, theme] = await Promise.all([
                fetchByIds("problems", related, { fields: "id,title" }, controller.signal),
                issuesOf(asked, controller.signal), themeOf(asked, controller.signal)])
            if (asked !== problem) return
            put(slots.theme, theme && section("theme", "Theme", element("p", {},
                element("a", { href: `themes.html?theme=${encodeURIComponent(theme.id)}`, dir: "auto" }, theme.title),
                " ", span("muted", count(theme.voices, "voice")))))
            const titles = new Map(problems.map((record) => [record.id, record.title]))
            put(slots.history, history(asked, titles, hrefOf))
            put(slots.issues, issueSection(issues))
        } catch { /* The posts, fetched at the same time, say that the server cannot be reached. */ }
    }

    posts.list.load()
    return {
        parts,
        posts: { collection: "problem_posts", filter: `problem = "${first.id}"` },
        refresh: () => posts.list.refresh(null),
        close() {
            controller.abort()
            posts.list.stop()
        },
    }
}

// --- Pictures -----------------------------------------------------------------------------------

async function pictures(state, { signal, progress, pick }) {
    const { categoryPicture, namesPicture, voicesPicture } = await loadPictures()
    const [problems, watched, figure] = await Promise.all([
        fetchAll("problems", {
            filter: filterOf(state), sort: "-demand_score,id", fields: "id,daily_voices,category,impact_level",
        }, signal, (loaded) => progress(`Loading… ${count(loaded, "problem")}`)),
        fetchAll("watched_names", { sort: "position" }, signal).catch(() => []),
        fetchFirst("week_figures", { fields: "as_of_date" }, signal).catch(() => null),
    ])
    // Of all posts, whatever the filters.
    const names = watched.length ? [namesPicture(watched, { until: figure ? dayOf(figure.as_of_date) : "", trendLabel, hrefOf: hrefOfName })] : []
    if (!problems.length) return [element("p", { class: "muted" }, "No problem matches: there is nothing to draw."), ...names]
    return [voicesPicture(problems), categoryPicture(problems, { onPick: pick }), ...names]
}

startBoard({
    collection: "problems",
    explainedBy: "searches",
    item: "problem",
    noun: { one: "problem", many: "problems" },
    statuses: STATUSES,
    tiers: TIERS,
    sorts: SORTS,
    fetchPage, fetchWhole, listItem, openedView, pictures,
    async prepareOpened() { large = await loadPictures() },
    fileFields: FILE_FIELDS,
    shown(state, { hrefOf }) { linkOf = hrefOf },
    started(started) { board = started },
    titleOf: ({ title }) => title,
    searched: "Search titles, quotes, posts",
    filters: ["q", "date", "from", "to", "status", "tier", "category", "impact", "pay", "source", "name", "labeller"],
    // Which of them are on is said; the status is part of what is counted.
    countText: (state, total, set) => {
        const standing = state.status === "all" ? "" : `${STATUSES[state.status].toLowerCase()} `
        const matching = set.some((name) => name !== "status")
        return `${count(total, `${standing}problem`)}${matching ? (total === 1 ? " matches" : " match") : ""}`
    },
    // Sparklines end on the latest day.
    dependsOn: () => latestDay,
    backText: "All problems",
    missingTitle: "This problem is not on the board",
    missingText: "It may have been merged into another, or the address is not whole.",
    goneText: "This problem has left the board meanwhile: it was removed, or merged into another.",
    async shortNotice(notice) {
        const { whyFewProblems } = await import("./empty.js")
        notice.append(...await whyFewProblems())
        notice.hidden = !notice.firstChild
    },
    async emptyNotice(notice) {
        const others = await fetchCount("problems", OF_PEOPLE).catch(() => 0)
        if (others) {
            notice.append(element("p", {}, `None is active now: ${count(others, "problem")} went quiet. `,
                element("a", { href: "?status=all", "data-inside": "all" }, "Show all")))
        } else {
            const { whyNoProblems } = await import("./empty.js")
            notice.append(...await whyNoProblems())
        }
    },
})
