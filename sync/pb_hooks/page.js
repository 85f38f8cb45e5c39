// A page of the board with its styles inside, so that a browser paints it without a second answer.

const STYLES = '<link rel="stylesheet" href="board.css">'

// What the first list is made of, asked for before the scripts that show it are there. An address with a query asks for
// another list.
const FIRST_LIST = / *<link rel="preload" as="fetch" [^>]*api\/collections\/(?:problems|searches|week_figures)\/[^>]*>\n/g

function send(e, name) {
    const read = (file) => toString($os.readFile(`${__hooks}/../pb_public/${file}`))
    const nonce = $security.randomString(24)
    require(`${__hooks}/headers.js`).set(e, nonce)
    const page = read(name)
    return e.html(200, (e.request.url.rawQuery ? page.replace(FIRST_LIST, "") : page)
        .replace("style-src 'self'", `style-src 'self' 'nonce-${nonce}'`)
        // As a function: what it returns is no pattern.
        .replace(STYLES, () => `<style nonce="${nonce}">${read("board.css")}</style>`))
}

module.exports = { send }
