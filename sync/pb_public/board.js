// Groundswell's board: the issues of one day, ranked, each with the posts that are its evidence.
//
// Posts are hostile input. Everything fetched reaches the page as a text node or as a checked attribute:
// no innerHTML, and no link that is not http(s).

const EVIDENCE_PER_PAGE = 50
const TIMEOUT_MS = 15_000
const LANGUAGE = "en-GB"
const ISSUE_ID = /^[a-z0-9]{15}$/

const CATEGORY_NAMES = {
    ai: "AI", finance: "Finance", compliance: "Compliance", logistics: "Logistics",
    healthtech: "Health tech", devtools: "Developer tools", ecommerce: "E-commerce", other: "Other",
}
const SOURCE_NAMES = { github: "GitHub", hackernews: "Hacker News", reddit: "Reddit", stackoverflow: "Stack Overflow" }

const page = {
    main: document.getElementById("main"),
    dayTitle: document.getElementById("day-title"),
    daySummary: document.getElementById("day-summary"),
    earlierDay: document.getElementById("earlier-day"),
    laterDay: document.getElementById("later-day"),
    status: document.getElementById("status"),
    issues: document.getElementById("issues"),
}

// --- The server ---------------------------------------------------------------------------------

async function fetchRecords(path, query) {
    let response
    try {
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        response = await fetch(`/api/collections/${path}?${new URLSearchParams(query)}`, { signal })
    } catch {
        throw new Error("The server cannot be reached.")
    }
    if (!response.ok) {
        throw Object.assign(new Error(`The server answered with an error (${response.status}).`), { status: response.status })
    }
    return response.json().catch(() => {
        throw new Error("The server's answer was cut short or is not JSON.")
    })
}

async function fetchIssues(day) {
    const issues = []
    for (let pageNumber = 1, totalPages = 1; pageNumber <= totalPages; pageNumber++) {
        const answer = await fetchRecords("issues/records", {
            filter: `(cluster_date >= "${startOf(day)}" && cluster_date <= "${endOf(day)}")`,
            sort: "day_rank,cluster_id",
            perPage: 200,
            page: pageNumber,
        })
        issues.push(...answer.items)
        totalPages = answer.totalPages
    }
    return issues
}

/** The first day that has issues, by the given filter and sort; null where there is none. */
async function fetchDay(filter, sort) {
    const answer = await fetchRecords("issues/records", { filter, sort, fields: "cluster_date", perPage: 1, skipTotal: 1 })
    return answer.items.length ? dayOf(answer.items[0]) : null
}

const fetchLatestDay = () => fetchDay("", "-cluster_date")
const fetchEarlierDay = (day) => fetchDay(`(cluster_date < "${startOf(day)}")`, "-cluster_date")
const fetchLaterDay = (day) => fetchDay(`(cluster_date > "${endOf(day)}")`, "cluster_date")

/** The day of one issue, for links that name an issue but no day; null where the issue is gone. */
async function fetchDayOfIssue(id) {
    try {
        return dayOf(await fetchRecords(`issues/records/${id}`, { fields: "cluster_date" }))
    } catch (error) {
        if (error.status === 404) return null
        throw error
    }
}

function fetchEvidence(issueId, pageNumber) {
    return fetchRecords("issue_evidence/records", {
        filter: `(issue="${issueId}")`,
        sort: "-similarity,url_hash",
        fields: "url,title,source,excerpt,posted_at,comment_count,vote_count",
        perPage: EVIDENCE_PER_PAGE,
        page: pageNumber,
    })
}

// --- Days, numbers and words --------------------------------------------------------------------

// PocketBase keeps dates as "2026-11-20 00:00:00.000Z"; a day is its first ten characters.
const dayOf = (issue) => issue.cluster_date.slice(0, 10)
const startOf = (day) => `${day} 00:00:00.000Z`
const endOf = (day) => `${day} 23:59:59.999Z`
const parseDate = (text) => new Date(text.replace(" ", "T"))

/** The day that the address asks for, or null. It goes into filters, so only a real date passes. */
function dayInAddress() {
    const day = new URLSearchParams(location.search).get("date") ?? ""
    const date = /^\d{4}-\d\d-\d\d$/.test(day) ? parseDate(startOf(day)) : new Date(NaN)
    return !isNaN(date) && date.toISOString().startsWith(day) ? day : null
}

function issueIdInAddress() {
    const id = location.hash.slice(1)
    return ISSUE_ID.test(id) ? id : null
}

const formatDay = (day) => parseDate(startOf(day)).toLocaleDateString(LANGUAGE, { timeZone: "UTC", dateStyle: "full" })
const formatTime = (date) => date.toLocaleString(LANGUAGE, { timeZone: "UTC", dateStyle: "medium", timeStyle: "short" })
const formatNumber = (number) => number.toLocaleString(LANGUAGE)
const count = (number, noun) => `${formatNumber(number)} ${noun}${Math.abs(number) === 1 ? "" : "s"}`
const sourceName = (source) => SOURCE_NAMES[source] ?? source.replaceAll("_", " ")

function parseWebUrl(text) {
    const url = URL.canParse(text) ? new URL(text) : null
    return url && ["http:", "https:"].includes(url.protocol) ? url : null
}

// --- Building the page --------------------------------------------------------------------------

/** A new element; strings among the children become text nodes, null ones are left out. */
function element(tag, attributes, ...children) {
    const node = document.createElement(tag)
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
    node.append(...children.filter((child) => child !== null))
    return node
}

const span = (className, text) => element("span", { class: className }, text)

function retryNotice(error, retry) {
    const button = element("button", { type: "button" }, "Try again")
    button.addEventListener("click", retry)
    return [element("p", { class: "error" }, error.message), button]
}

function issueItem(issue) {
    const sources = Object.entries(issue.source_counts ?? {}).sort(([, a], [, b]) => b - a)
    const summary = element("summary", {},
        span("rank", String(issue.day_rank)),
        element("h2", { dir: "auto" }, issue.canonical_title),
        element("span", { class: "labels" },
            span("category", CATEGORY_NAMES[issue.category] ?? issue.category),
            span(`impact ${issue.impact_level}`, `${issue.impact_level} impact`),
            issue.would_pay_signal ? span("would-pay", "Would pay") : null,
        ),
        element("span", { class: "figures" },
            span("size", count(issue.cluster_size, "post")),
            span("muted", `${Math.round(issue.confidence * 100)}% confidence`),
        ),
        element("span", { class: "origin muted" },
            ...sources.map(([source, posts]) => span("source", `${sourceName(source)} ${posts}`)),
            span("labeler", `labeller: ${issue.labeler}`),
        ),
    )
    const evidence = element("div", { class: "evidence" })
    const details = element("details", { id: issue.id }, summary, element("div", { class: "opened" },
        issue.description ? element("p", { class: "description", dir: "auto" }, issue.description) : null,
        evidence,
        element("a", { class: "permalink", href: `?date=${dayOf(issue)}#${issue.id}` }, "Link to this issue"),
    ))
    // An issue's posts are fetched when it is first opened.
    const loadOnce = () => {
        if (!details.open) return
        details.removeEventListener("toggle", loadOnce)
        showEvidence(issue, evidence)
    }
    details.addEventListener("toggle", loadOnce)
    return element("li", {}, details)
}

function postItem(post) {
    const url = parseWebUrl(post.url)
    const title = post.title.trim() || "Untitled post"
    const postedAt = post.posted_at ? parseDate(post.posted_at) : null
    return element("li", { class: "post" },
        element("h3", { dir: "auto" }, url === null ? title : element("a", {
            href: url.href, target: "_blank", rel: "noopener noreferrer nofollow ugc",
        }, title)),
        element("p", { class: "facts muted" },
            span("source", sourceName(post.source)),
            url && span("host", url.hostname),
            postedAt && element("time", { datetime: postedAt.toISOString() }, formatTime(postedAt)),
            // PocketBase stores a count that the source does not give as 0, so a 0 says nothing.
            post.comment_count ? span("comments", count(post.comment_count, "comment")) : null,
            post.vote_count ? span("votes", count(post.vote_count, "vote")) : null,
        ),
        post.excerpt ? element("p", { class: "excerpt", dir: "auto" }, post.excerpt) : null,
    )
}

/** Fills an opened issue with its posts, a page at a time. */
function showEvidence(issue, container) {
    const posts = element("ol", { class: "posts", role: "list", "aria-label": `Posts: ${issue.canonical_title}` })
    const below = element("div", { class: "below-posts", role: "status", tabindex: "-1" })
    container.replaceChildren(posts, below)

    async function showPage(pageNumber) {
        const askedFor = below.contains(document.activeElement)
        below.replaceChildren(element("p", { class: "muted" }, "Loading posts…"))
        if (askedFor) below.focus()
        try {
            const answer = await fetchEvidence(issue.id, pageNumber)
            const items = answer.items.map(postItem)
            posts.append(...items)
            below.replaceChildren(...belowPosts(answer))
            if (askedFor) items[0]?.querySelector("a")?.focus()
        } catch (error) {
            below.replaceChildren(...retryNotice(error, () => showPage(pageNumber)))
        }
    }

    function belowPosts(answer) {
        if (answer.totalItems === 0) return [element("p", { class: "muted" }, "No posts are stored for this issue.")]
        if (answer.page >= answer.totalPages) return []
        const showMore = element("button", { type: "button" }, "Show more posts")
        showMore.addEventListener("click", () => showPage(answer.page + 1))
        const shown = `${formatNumber(posts.children.length)} of ${count(answer.totalItems, "post")}`
        return [element("p", { class: "muted" }, shown), showMore]
    }

    showPage(1)
}

function linkDay(link, day) {
    if (day === null) return
    link.href = `?date=${day}`
    link.title = formatDay(day)
    link.removeAttribute("aria-disabled")
}

/** Opens the issue that the address names and brings it into view. */
function openLinkedIssue() {
    const id = issueIdInAddress()
    if (id === null || !page.issues.hasChildNodes()) return
    const details = document.getElementById(id)
    page.status.replaceChildren(details ? "" : "The issue that this link names is not among the issues of this day.")
    if (!details) return
    details.open = true
    details.scrollIntoView()
    details.querySelector("summary").focus({ preventScroll: true })
}

function showEmpty(boardIsEmpty) {
    if (boardIsEmpty) {
        page.dayTitle.textContent = "No issues yet"
        page.status.replaceChildren("Build a day and push it:", element("pre", {}, "python -m sync --date YYYY-MM-DD"))
    } else {
        page.daySummary.textContent = "No issues on this day"
        page.status.replaceChildren("Step to a day that has some, or see ", element("a", { href: "./" }, "the latest day"), ".")
    }
}

async function showBoard() {
    page.main.setAttribute("aria-busy", "true")
    page.status.replaceChildren(element("p", { class: "muted" }, "Loading issues…"))
    try {
        const linkedIssue = issueIdInAddress()
        const day = dayInAddress() ?? (linkedIssue && await fetchDayOfIssue(linkedIssue)) ?? await fetchLatestDay()
        if (day === null) return showEmpty(true)

        page.dayTitle.textContent = formatDay(day)
        document.title = `${formatDay(day)} · Groundswell`
        const [issues, earlierDay, laterDay] = await Promise.all([fetchIssues(day), fetchEarlierDay(day), fetchLaterDay(day)])
        linkDay(page.earlierDay, earlierDay)
        linkDay(page.laterDay, laterDay)
        if (issues.length === 0) return showEmpty(earlierDay === null && laterDay === null)

        const postTotal = issues.reduce((total, issue) => total + issue.cluster_size, 0)
        page.daySummary.textContent = `${count(issues.length, "issue")} from ${count(postTotal, "post")}`
        page.status.replaceChildren()
        page.issues.replaceChildren(...issues.map(issueItem))
        openLinkedIssue()
    } catch (error) {
        if (!page.dayTitle.textContent.trim()) page.dayTitle.textContent = "The board could not be loaded"
        page.status.replaceChildren(...retryNotice(error, () => {
            page.status.focus()
            showBoard()
        }))
    } finally {
        page.main.removeAttribute("aria-busy")
    }
}

window.addEventListener("hashchange", openLinkedIssue)
showBoard()
