// Why a board has no problems, or few: nothing was pushed, or the search of the latest day found no more.

import { fetchFirst } from "./api.js"
import { element, span } from "./dom.js"
import { count, dayOf, formatDay, formatNumber, percent } from "./words.js"

// Why a group is no problem, as in gold.problem_searches.
const REASONS = {
    "too few voices": (group, search) => `${count(group.voices, "voice")}, and a problem needs ${formatNumber(search.least_voices)}`,
    "not sure enough": (group, search) => `a problem needs a chance of ${percent(search.least_chance)}`,
    "too few complaints": () => "most of its voices only half complain, and a problem needs two that fully do",
    "not regrouped": () => "grouped before the settings changed; a new post near it groups it again",
    mixed: () => "a language model found that too few of its posts have one problem",
    "label waits": () => "its label waits for a language model",
    "label failed": () => "its label failed",
}

// Rounded down, so that a chance below the limit is not shown as the limit.
const chanceOf = ({ chance }) => (chance === null ? "chance unknown" : `chance ${percent(Math.floor(chance * 100 + 1e-9) / 100)}`)

function nearGroup(group, search) {
    return element("li", {},
        (group.titles ?? []).map((title) => element("p", { dir: "auto" }, title)),
        span("muted", `${count(group.posts, "post")}, ${count(group.voices, "voice")}, ${chanceOf(group)}: `,
            REASONS[group.reason]?.(group, search) ?? String(group.reason)))
}

function searchParts(search) {
    const groups = search.nearest_groups ?? [], advice = search.advice ?? []
    return [
        element("p", {}, search.problems ? `${count(search.problems, "problem")} ${search.problems === 1 ? "was" : "were"}` : "No problem was",
            ` found up to ${formatDay(dayOf(search.search_date))}. `,
            `${formatNumber(search.window_posts)} posts of ${count(search.window_days, "day")} were read; `,
            `${formatNumber(search.window_complaints)} of them complain. ${count(search.near_pairs, "pair")} of complaints `,
            `${search.near_pairs === 1 ? "has" : "have"} a chance of ${percent(search.least_chance)} or more to be the same problem.`),
        groups.length ? element("h2", {}, search.problems ? "Nearest to another problem" : "Nearest to a problem") : null,
        groups.length ? element("ul", { class: "near" }, groups.map((group) => nearGroup(group, search))) : null,
        advice.length ? element("h2", {}, "What would change it") : null,
        advice.length ? element("ul", {}, advice.map((sentence) => element("li", {}, sentence))) : null,
    ].filter(Boolean)
}

/** Says in a notice why there are no problems. `what` is the noun of the page, in the plural. */
export const nothingPushed = (what) => [
    element("p", {}, `No ${what} yet: nothing has been pushed to this board. Collect, build and push a day, or push a day that is built:`),
    element("pre", {}, "python -m groundswell day --date YYYY-MM-DD\npython -m groundswell push --date YYYY-MM-DD"),
]

const latestSearch = () => fetchFirst("searches", { sort: "-search_date" }).catch(() => null)

/** Why a board has few problems; nothing where the latest search does not say so. */
export async function whyFewProblems() {
    const search = await latestSearch()
    return search ? searchParts(search) : []
}

/** Why a board has no problems at all. A server of an earlier version has no searches. */
export async function whyNoProblems() {
    const [search, topic] = await Promise.all([
        latestSearch(),
        fetchFirst("issues", { sort: "-cluster_date", fields: "cluster_date" }).catch(() => null),
    ])
    if (search) return searchParts(search)
    if (!topic) return nothingPushed("problems")
    const day = dayOf(topic.cluster_date)
    return [
        element("p", {}, `No problem was pushed, only the `, element("a", { href: "issues.html" }, "topics"),
            ` up to ${formatDay(day)}. A build says at its end how near its complaints are to a problem:`),
        element("pre", {}, `python -m groundswell build --date ${day}`),
    ]
}
