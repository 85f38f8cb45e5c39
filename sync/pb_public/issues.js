// The board of topics: the issues of a day, or of several, as the pipeline has labelled them.

import { startBoard } from "./board.js"
import { all, containsWords, fetchAll, fetchByIds, fetchFirst, fetchRecords, from, text, until } from "./api.js"
import { element, span } from "./dom.js"
import { nothingPushed } from "./empty.js"
import { categoryLabel, described, figures, impactLabel, labellerName, loadPictures, madeBy, payLabel, postList, put, quoteList, section, sharedPosts, slot, sourceLabels } from "./posts.js"
import { bySize, count, dayOf, formatDay, formatNumber, formatWeekday, percent, sourceName } from "./words.js"

const SORTS = { rank: "Rank", size: "Size", confidence: "How tight" }
// Topics without complaints come last, whatever the order.
const ORDERS = {
    rank: "-cluster_date,day_rank,id",
    size: "without_complaints,-cluster_size,id",
    confidence: "without_complaints,-confidence,id",
}
const FIELDS = "id,content_hash,cluster_date,day_rank,canonical_title,category,would_pay_signal,impact_level,cluster_size,complaints,without_complaints,source_counts,labeler"

const FILE_FIELDS = ["cluster_date", "day_rank", "canonical_title", "category", "description", "impact_level", "would_pay_signal", "cluster_size", "complaints",
    "without_complaints", "confidence", "source_counts", "labeler"]

const byId = (id) => document.getElementById(id)
let latestDay = "", latestKnown = false
let linkedFor = null // the days whose neighbours are linked, or will be
let board = null

// --- Days ---------------------------------------------------------------------------------------

/** The days that a state shows; without a day, the latest day that has topics. */
function range(state) {
    if (state.date === "all") return { first: "", last: "" }
    if (state.from || state.to) return { first: state.from, last: state.to }
    return { first: latestDay, last: latestDay }
}

const singleDay = (state) => {
    const { first, last } = range(state)
    return first && first === last ? first : null
}

async function findDay(filter, sort, signal) {
    const issue = await fetchFirst("issues", { filter, sort, fields: "cluster_date" }, signal)
    return issue ? dayOf(issue.cluster_date) : ""
}

function titleDays(state) {
    const { first, last } = range(state)
    const day = singleDay(state)
    byId("overview-title").textContent =
        day ? formatWeekday(day)
            : first && last ? `${formatDay(first)} to ${formatDay(last)}`
                : first ? `From ${formatDay(first)} on`
                    : last ? `Until ${formatDay(last)}`
                        : state.date === "all" ? "All days" : latestKnown ? "No topics yet" : "Topics"
    byId("day").value = day ?? ""
}

/** A state without a day can be shown only when the latest day is known. */
async function findLatestDay(signal) {
    if (latestKnown) return
    latestDay = await findDay("", "-cluster_date", signal)
    latestKnown = true
    shown(board.state())
}

async function linkDays(state) {
    const { first, last } = range(state)
    const asked = linkedFor = `${first}/${last}`
    try {
        const [earlier, later] = await Promise.all([
            first && findDay(`cluster_date < "${first} 00:00:00.000Z"`, "-cluster_date"),
            last && findDay(`cluster_date > "${last} 23:59:59.999Z"`, "cluster_date"),
        ])
        if (asked !== linkedFor) return
        linkDay(byId("earlier-day"), earlier)
        linkDay(byId("later-day"), later)
    } catch { /* The list says that the server cannot be reached. */ }
}

function linkDay(link, day) {
    if (!day) {
        link.removeAttribute("href")
        link.removeAttribute("title")
        return link.setAttribute("aria-disabled", "true")
    }
    link.href = board.hrefOf({ date: day, from: "", to: "" })
    link.title = formatDay(day)
    link.removeAttribute("aria-disabled")
}

function shown(state) {
    titleDays(state)
    byId("all-days").setAttribute("aria-current", String(state.date === "all"))
    byId("all-days").href = board ? board.hrefOf({ date: "all", from: "", to: "" }) : "?date=all"
    if (latestKnown) linkDays(state)
}

/** If the reader looks at another day, a newer day is only offered. */
async function changed(state) {
    const latest = await findDay("", "-cluster_date").catch(() => latestDay)
    if (!latestDay && latest) {
        latestDay = latest
        return board.reload()
    }
    linkDays(state)
    if (latest <= latestDay || state.date === "all") return
    byId("newer-day").replaceChildren(`${formatWeekday(latest)} has been added. `,
        element("a", { href: board.hrefOf({ date: latest, from: "", to: "" }), "data-inside": "day" }, "Show it"))
}

// --- The list -----------------------------------------------------------------------------------

function filterOf(state) {
    const { first, last } = range(state)
    return all(
        from("cluster_date", first), until("cluster_date", last),
        state.category && `category = "${state.category}"`,
        state.impact && `impact_level = "${state.impact}"`,
        state.pay && `would_pay_signal = ${state.pay === "yes"}`,
        state.source && `source_counts.${state.source} > 0`,
        state.labeller && `labeler = ${text(state.labeller)}`,
        containsWords(state.q, ["canonical_title", "description"]),
    )
}

async function fetchPage(state, page, perPage, withTotal, signal) {
    await findLatestDay(signal)
    return fetchRecords("issues", {
        filter: filterOf(state), sort: ORDERS[state.sort], fields: FIELDS, page, perPage, ...(withTotal ? {} : { skipTotal: 1 }),
    }, signal)
}

const fetchWhole = (state, fields) => fetchAll("issues", { filter: filterOf(state), sort: ORDERS[state.sort], fields })

const quietLabel = ({ without_complaints: quiet }) => (quiet ? span("standing", "Hardly a complaint") : null)
// A record of an earlier version has 0 complaints, and is not marked.
const complaintCount = ({ complaints, without_complaints: quiet }) =>
    (complaints || quiet ? `${formatNumber(complaints)} ${complaints === 1 ? "complains" : "complain"}` : null)

function listItem(issue, position, { hrefOf, state }) {
    return element("li", { class: "entry issue" },
        element("p", { class: "rank" }, String(issue.day_rank)),
        element("div", { class: "what" },
            element("h2", { dir: "auto" }, element("a", { href: hrefOf({ issue: issue.id }), "data-inside": "open" }, issue.canonical_title)),
            element("p", { class: "labels" },
                categoryLabel(issue), impactLabel(issue), payLabel(issue), quietLabel(issue),
                sourceLabels(issue),
                issue.labeler === "extractive" ? null : span("labeler muted", labellerName(issue.labeler))),
        ),
        element("div", { class: "measure" },
            element("p", { class: "voices" }, element("strong", {}, formatNumber(issue.cluster_size)), issue.cluster_size === 1 ? " post" : " posts"),
            complaintCount(issue) && element("p", { class: "muted" }, complaintCount(issue)),
            singleDay(state) ? null : element("p", { class: "muted" }, element("time", { datetime: dayOf(issue.cluster_date) }, formatDay(dayOf(issue.cluster_date)))),
        ),
    )
}

// --- An issue, opened ---------------------------------------------------------------------------

/** The problems that have posts of an issue, by demand: [{id, title, voices, demand_score}]. */
async function problemsOf(issue, signal) {
    const counts = await sharedPosts(
        { collection: "issue_evidence", filter: `issue = "${issue.id}"` }, { collection: "problem_posts", field: "problem" }, signal)
    const problems = await fetchByIds("problems", [...counts.keys()], { fields: "id,title,voices,demand_score" }, signal)
    return problems.sort((a, b) => b.demand_score - a.demand_score || a.id.localeCompare(b.id))
}

function openedView(first, { hrefOf }) {
    const controller = new AbortController()
    const [quotesNode, problemsNode] = [slot("quotes"), slot("problems")]
    let label = first
    const posts = postList({
        collection: "issue_evidence",
        filter: `issue = "${first.id}"`,
        sort: "-is_representative,-similarity,id",
        fields: "is_representative",
        title: (total) => `${count(total, "post")} behind it`,
        total: first.cluster_size,
    })

    function parts(issue) {
        const day = dayOf(issue.cluster_date)
        label = issue
        posts.retitle(issue.cluster_size)
        fillQuotes()
        return [
            element("header", { "data-part": "head" },
                element("p", { class: "labels" }, categoryLabel(issue), impactLabel(issue), payLabel(issue), quietLabel(issue),
                    element("a", { class: "day-link", href: hrefOf({ issue: "", date: day, from: "", to: "" }), "data-inside": "day" },
                        element("time", { datetime: day }, formatWeekday(day)))),
                element("h1", { tabindex: "-1", dir: "auto" }, issue.canonical_title),
                described(issue, issue.canonical_title)),
            section("numbers", "Figures", figures([
                ["Posts", formatNumber(issue.cluster_size), bySize(issue.source_counts).map(([source, posts]) => `${sourceName(source)} ${formatNumber(posts)}`).join(", ")],
                ["Rank of the day", formatNumber(issue.day_rank)],
                complaintCount(issue) ? ["Complaints", formatNumber(issue.complaints), `of ${count(issue.cluster_size, "post")}`] : null,
                ["How tight", percent(issue.confidence), "How alike its posts are, and how well set apart from those of other topics"],
                ["Would pay", issue.would_pay_signal ? "Yes" : "No sign"],
            ])),
            quotesNode, problemsNode, posts.node,
            madeBy(issue),
        ]
    }

    async function fillQuotes() {
        try {
            const [quotes, problems] = await Promise.all([
                fetchAll("issue_evidence", {
                    filter: `issue = "${first.id}" && quote != ""`, sort: "supports_payment,-is_representative,-similarity,id",
                    fields: "quote,source,url,supports_payment",
                }, controller.signal),
                problemsOf(first, controller.signal),
            ])
            put(quotesNode, quoteList(quotes, { title: label.canonical_title, description: label.description }))
            put(problemsNode, problems.length ? section("problems", "Problems in it", element("ul", { class: "related", role: "list" }, problems.map((problem) =>
                element("li", {}, span("muted", count(problem.voices, "voice")),
                    element("a", { href: `./?problem=${problem.id}`, dir: "auto" }, problem.title))))) : null)
        } catch { /* The posts, fetched at the same time, say that the server cannot be reached. */ }
    }

    posts.list.load()
    return {
        parts,
        posts: { collection: "issue_evidence", filter: `issue = "${first.id}"` },
        refresh: () => posts.list.refresh(null),
        close() {
            controller.abort()
            posts.list.stop()
        },
    }
}

// --- Pictures -----------------------------------------------------------------------------------

async function pictures(state, { signal, progress, pick, open }) {
    await findLatestDay(signal)
    const day = singleDay(state)
    const { categoryPicture, mapPicture } = await loadPictures()
    const issues = await fetchAll("issues", {
        filter: filterOf(state), sort: ORDERS.rank, fields: "id,canonical_title,category,impact_level,cluster_size",
    }, signal)
    if (!issues.length) return [element("p", { class: "muted" }, "No topic matches: there is nothing to draw.")]
    const categories = categoryPicture(issues, { noun: "topic", onPick: pick })
    if (!day) return [categories, element("p", { class: "muted" }, "The map shows the posts of one day: choose a day to see it.")]
    const posts = await fetchAll("issue_evidence", {
        filter: all(from("cluster_date", day), until("cluster_date", day)),
        // All of one day: the order is that of the index, which any other sort would have to go without.
        sort: "cluster_date",
        fields: "id,issue,title,source,map_x,map_y,posted_at",
    }, signal, (loaded) => progress(`Loading the map… ${count(loaded, "post")}`))
    const known = new Map(issues.map((issue) => [issue.id, { title: issue.canonical_title, category: issue.category, size: issue.cluster_size }]))
    const points = posts.filter(({ issue }) => known.has(issue)).map(({ map_x: x, map_y: y, ...post }) => ({ ...post, x, y }))
    return [mapPicture({ points, issues: known, onOpen: open }), categories]
}

startBoard({
    collection: "issues",
    item: "issue",
    noun: { one: "topic", many: "topics" },
    sorts: SORTS,
    fetchPage, fetchWhole, listItem, openedView, pictures, shown, changed,
    fileFields: FILE_FIELDS,
    titleOf: ({ canonical_title: title }) => title,
    // The day is not a filter.
    filters: ["q", "category", "impact", "pay", "source", "labeller"],
    countText: (state, total, set) => `${count(total, "topic")}${set.length ? (total === 1 ? " matches" : " match") : ""}`,
    backText: "All topics",
    missingTitle: "This topic is not on the board",
    missingText: "Its day may have been clustered anew, or the address is not whole.",
    goneText: "This topic has left the board meanwhile.",
    started(started) {
        board = started
        byId("day").addEventListener("change", (event) => {
            if (event.target.value) board.go({ date: event.target.value, from: "", to: "" })
        })
    },
    emptyNotice(notice) {
        notice.append(...(latestDay
            ? [element("p", {}, "No topics here. Step to a day that has some, or see ",
                element("a", { href: location.pathname, "data-inside": "day" }, "the latest day"), ".")]
            : nothingPushed("topics")))
    },
})
