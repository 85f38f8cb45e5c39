// Parts that the pages share: quotes, labels, trends and posts.

import { fetchAll, fetchByValues, fetchRecords } from "./api.js"
import { MOST, PagedList } from "./list.js"
import { element, outwardLink, span, webUrl } from "./dom.js"
import { IMPACTS, bySize, categoryName, count, dayOf, formatDay, formatNumber, formatTime, parseDate, percent, shortDay, sourceName } from "./words.js"

export const TRENDS = {
    growing: ["↗", "Growing"], new: ["✦", "New"], steady: ["→", "Steady"], unknown: ["·", "No trend yet"],
    fading: ["↘", "Fading"], gone: ["–", "Gone quiet"],
}

export const trendLabel = ({ trend }) => {
    const [sign, word] = TRENDS[trend] ?? ["", String(trend)]
    return span(`trend trend-${TRENDS[trend] ? trend : "unknown"}`, element("span", { "aria-hidden": "true" }, sign), ` ${word}`)
}

/** How it moved, in a sentence. `first_seen` is the day of the first post. */
export function trendText({ trend, recent_voices: recent, earlier_voices: earlier, first_seen: first }) {
    const counts = `${count(recent, "voice")} lately, ${formatNumber(earlier)} in the same time before`
    return {
        new: `New: nobody said so before ${formatDay(dayOf(first))}; ${count(recent, "voice")} since.`,
        growing: `Growing: ${counts}.`, fading: `Fading: ${counts}.`, steady: `Steady: ${counts}.`,
        unknown: `No trend yet: ${count(recent, "voice")} lately, and no earlier day has been read to compare with.`,
        gone: "Gone quiet: nobody said so lately.",
    }[trend] ?? `${counts}.`
}

/**
 * Since when, in a few words: of a problem that is gone, when it was last heard. `until` is the latest day of the board:
 * its year is left out.
 */
export function sinceText({ trend, first_seen: first, last_seen: last }, until = "") {
    const [from, to] = [dayOf(first), dayOf(last)]
    if (trend === "gone") return `last on ${shortDay(to, until)}`
    return from === to ? `on ${shortDay(from, until)} only` : `since ${shortDay(from, until)}`
}

export const categoryLabel = ({ category }) => span("category", categoryName(category))
/** The impact, if the labeller knows it. */
export const impactLabel = ({ impact_level: level }) => (level ? span(`impact impact-${IMPACTS[level] ? level : "unknown"}`, IMPACTS[level] ?? String(level)) : null)
export const payLabel = ({ would_pay_signal: pays }) => (pays ? span("would-pay", "Would pay") : null)
export const labellerName = (labeler) => (labeler === "extractive" ? "built-in labeller" : String(labeler))
export const madeBy = ({ labeler }) => element("p", { class: "muted made", "data-part": "made" }, `Labeller: ${labellerName(labeler)}`)

/**
 * Posts by source, the largest first: "GitHub 3", "Reddit 1". Where voices stand beside them, "4 posts:" comes first: there
 * are more posts than voices if somebody has written twice.
 */
export function sourceLabels({ source_counts: counts, voices }) {
    const bySource = bySize(counts)
    const all = bySource.reduce((total, [, posts]) => total + posts, 0)
    return [
        voices && all ? span("source muted", `${count(all, "post")}:`) : null,
        ...bySource.map(([source, posts]) =>
            element("span", { class: "source muted", title: count(posts, "post") }, `${sourceName(source)} ${formatNumber(posts)}`)),
    ]
}

/** The description under a title. That of the built-in labeller is a sentence of one post, so it stands in quotation marks. */
export function described({ description, labeler }, title) {
    if (!description || description === title) return null
    return element("p", { class: "description", dir: "auto" }, labeler === "extractive" ? element("q", {}, description) : description)
}

// A title has an ellipsis for a number in which the titles of its posts differ.
const withoutNumbers = (text) => text.replace(/\d+|…/g, "")

/** The quotes that differ from title and description: the built-in labeller uses quotes as both. */
export function tellingQuotes(quotes, { title, description }) {
    const isTitle = (quote) => withoutNumbers(title).startsWith(withoutNumbers(quote).slice(0, 40))
    return quotes.filter(({ quote }) => quote && quote !== description && !isTitle(quote))
}

/**
 * Quotes of [{quote, source, url, supports_payment}], each with a link to the post that it is from: those that differ from
 * the label {title, description}, or all if none does.
 */
export function quoteList(quotes, label, heading = "In their words", ...note) {
    const telling = tellingQuotes(quotes, label)
    const worded = telling.length ? telling : quotes.filter(({ quote }) => quote)
    if (!worded.length) return note.length ? section("quotes", heading, ...note) : null
    return section("quotes", heading, ...note, element("div", { class: "quotes" }, worded.map((quote) =>
        element("figure", { class: quote.supports_payment ? "quote pays" : "quote" },
            element("blockquote", { dir: "auto" }, element("p", {}, quote.quote)),
            element("figcaption", { class: "muted" },
                outwardLink(quote.url, sourceName(quote.source)),
                quote.supports_payment ? span("would-pay", "Speaks of paying") : null,
            ),
        ))))
}

/** A part of the opened record. An update finds it by its name. */
export const section = (name, title, ...content) =>
    element("section", { class: `part part-${name}`, "data-part": name, "aria-labelledby": `part-${name}` },
        element("h2", { id: `part-${name}` }, title), ...content)

/** Changes the parts of a container, after its first element if one is named. What is unchanged stays as the reader left it. */
export function replaceParts(container, parts, first = null) {
    let last = first
    const old = new Map([...container.children].filter((node) => node.dataset.part).map((node) => [node.dataset.part, node]))
    for (const part of parts) {
        const before = old.get(part.dataset.part)
        old.delete(part.dataset.part)
        let node = part
        if (before) {
            const folds = part.querySelectorAll("details")
            before.querySelectorAll("details").forEach((fold, index) => {
                if (folds[index]) folds[index].open = fold.open
            })
            if (before === part || before.isEqualNode(part)) node = before
            else before.replaceWith(part)
        }
        if (last ? last.nextElementSibling !== node : container.firstElementChild !== node) {
            if (last) last.after(node)
            else container.prepend(node)
        }
        last = node
    }
    for (const node of old.values()) node.remove()
}

/** A place for a part that is fetched by itself, */
export const slot = (name) => element("div", { class: "slot", "data-part": name })

/** and what is put there, where it is not there already; null for nothing. */
export function put(place, content) {
    if (content ? !place.firstElementChild?.isEqualNode(content) : place.firstElementChild) place.replaceChildren(...[content ?? []].flat())
}

let pictures = null

/** The module of the large pictures, with its styles. It is as long as the rest of a page, and most visits need none. */
export function loadPictures() {
    pictures ??= Promise.all([import("./pictures.js"), new Promise((resolve) => {
        const styles = element("link", { rel: "stylesheet", href: "pictures.css" })
        // Without its styles a picture can still be read.
        styles.onload = styles.onerror = resolve
        document.head.append(styles)
    })])
    return pictures.then(([module]) => module, (error) => {
        pictures = null // The reader may try again.
        throw new Error("The server cannot be reached.", { cause: error })
    })
}

/** A description list of figures: [what, value] or [what, value, note]. */
export const figures = (entries) => element("dl", { class: "figures" }, entries.filter(Boolean).map(([what, value, note]) =>
    element("div", {}, element("dt", {}, what), element("dd", {}, value, note ? span("note muted", note) : null))))

/**
 * How many posts a record shares with records of another kind: a Map from their ids to numbers.
 * `here` is {collection, filter} of the posts of the record, `there` {collection, field} of the posts of the others.
 */
export async function sharedPosts(here, there, signal) {
    const posts = await fetchAll(here.collection, { filter: here.filter, fields: "url_hash" }, signal)
    const hashes = posts.map((post) => post.url_hash)
    const shared = await fetchByValues(there.collection, "url_hash", hashes, { fields: there.field }, signal)
    const counts = new Map()
    for (const { [there.field]: id } of shared) counts.set(id, (counts.get(id) ?? 0) + 1)
    return counts
}

function postItem(post) {
    const title = post.title?.trim() || post.excerpt?.trim().slice(0, 80) || "Untitled post"
    const posted = post.posted_at ? parseDate(post.posted_at) : null
    return element("li", { class: "post" },
        element("h3", { dir: "auto" }, outwardLink(post.url, title)),
        element("p", { class: "facts muted" },
            span("source", sourceName(post.source)),
            webUrl(post.url) && span("host", webUrl(post.url).hostname),
            posted && !isNaN(posted) ? element("time", { datetime: posted.toISOString() }, formatTime(posted)) : null,
            // A missing count is stored as 0, so 0 is not shown.
            post.comment_count ? span("", count(post.comment_count, "comment")) : null,
            post.vote_count ? span("", count(post.vote_count, "vote")) : null,
            post.is_first_of_voice === false ? span("", "same voice as another post") : null,
            post.is_weak ? span("", "only half complains") : null,
            post.supports_payment ? span("would-pay", "Speaks of paying") : null,
            post.similarity ? span("", `${percent(post.similarity)} alike`) : null,
        ),
        post.excerpt && post.excerpt.trim() !== title ? element("p", { class: "excerpt", dir: "auto" }, post.excerpt) : null,
    )
}

/** The posts behind a record, a page at a time: its section, and the list in it. */
export function postList({ collection, filter, sort, fields, title, total }) {
    const list = element("ol", { class: "posts", "aria-labelledby": "part-posts" })
    const below = element("div", { class: "below", tabindex: "-1" }, element("p", { class: "muted" }, "Loading posts…"))
    const posts = new PagedList({
        list, below,
        // Who opens a record reads, searches or prints its posts.
        first: MOST,
        fetchPage: (page, perPage, withTotal, signal) => fetchRecords(collection, {
            filter, sort, page, perPage,
            fields: `id,url,title,source,excerpt,posted_at,comment_count,vote_count,similarity,supports_payment,${fields}`,
            ...(withTotal ? {} : { skipTotal: 1 }),
        }, signal),
        render: postItem,
        loaded: (_, found) => (found ? null : element("p", { class: "muted" }, "No posts are stored for this one.")),
    })
    const node = section("posts", title(total), list, below)
    return { node, list: posts, retitle: (number) => { node.querySelector("h2").textContent = title(number) } }
}
