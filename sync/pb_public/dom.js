// Building the page. What the server sends is hostile input: it reaches the page as text nodes or as attributes
// that are checked here, never as HTML.

/** A new element; strings among the children become text nodes, null and false ones are left out. */
export function element(tag, attributes, ...children) {
    const node = document.createElement(tag)
    for (const [name, value] of Object.entries(attributes)) {
        if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value)
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false))
    return node
}

export const span = (className, ...children) => element("span", { class: className }, ...children)
export const spoken = (text) => span("spoken", text)

export function button(text, action, attributes = {}) {
    const node = element("button", { type: "button", ...attributes }, text)
    node.addEventListener("click", action)
    return node
}

/** The address if it is http or https, else null. */
export function webUrl(text) {
    const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : null
    return url && ["http:", "https:"].includes(url.protocol) ? url : null
}

/** A link to a post that opens in a new tab; plain text if the address is not http or https. */
export function outwardLink(address, ...children) {
    const url = webUrl(address)
    if (!url) return span("", ...children)
    return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, ...children)
}

export function retryNotice(error, retry) {
    return element("div", { class: "notice", role: "alert" },
        element("p", { class: "error" }, error.message), button("Try again", retry))
}

/** Whether a click is a plain one. Other clicks open tabs, windows and menus. */
export const isPlainClick = (event) =>
    event.button === 0 && !event.defaultPrevented && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey

/** Remembers the element at the top of the view. The returned function scrolls it back there. */
export function holdPlace(children) {
    // At the start of the list nothing is held, so that new records on top are visible.
    if (!children.length || children[0].getBoundingClientRect().top >= 0) return () => {}
    const first = firstInView(children)
    const candidates = [...children].slice(first, first + 20).map((node) => [node, node.getBoundingClientRect().top])
    return () => {
        const held = candidates.find(([node]) => node.isConnected)
        if (held) keepAt(...held)
    }
}

let stopKeeping = () => {}

/** Scrolls to have a node at a height, and to keep it there while what is above it gets its true size. */
export function keepAt(node, top) {
    stopKeeping()
    const controller = new AbortController()
    stopKeeping = () => controller.abort()
    // Stop when the reader scrolls.
    for (const name of ["wheel", "touchmove", "pointerdown", "keydown"]) {
        addEventListener(name, stopKeeping, { passive: true, signal: controller.signal })
    }
    let frames = 20
    const settle = () => {
        if (controller.signal.aborted || !node.isConnected) return
        const off = node.getBoundingClientRect().top - top
        if (Math.abs(off) >= 1) scrollBy({ top: off, behavior: "instant" })
        if (frames--) requestAnimationFrame(settle)
        else controller.abort()
    }
    settle()
}

/** Index of the first of these children, one above the other, that is not above the view. */
export function firstInView(children) {
    let low = 0, high = children.length - 1
    while (low < high) {
        const middle = (low + high) >> 1
        if (children[middle].getBoundingClientRect().bottom > 0) high = middle
        else low = middle + 1
    }
    return low
}

const FOCUSABLE = "a[href], button, summary, input, select"

/** Changes the content of a container. Afterwards the same element has the focus, or the one in its place. */
export function keepFocus(container, key, change) {
    const focused = document.activeElement
    const held = container.contains(focused) ? key(focused) : null
    const position = held ? [...held.querySelectorAll(FOCUSABLE)].indexOf(focused) : -1
    change()
    if (!held || document.activeElement === focused) return
    if (focused.isConnected) focused.focus({ preventScroll: true })
    else if (held.isConnected) held.querySelectorAll(FOCUSABLE)[position]?.focus({ preventScroll: true })
}
