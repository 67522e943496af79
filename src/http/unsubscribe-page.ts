// What the unsubscribe endpoint says to people and machines: one small page, without script and without anything from
// elsewhere, or the same words as plain text. Pure.

import { createHash } from 'node:crypto'

export interface Saying {
  readonly status: 200 | 400 | 404 | 405 | 413 | 429 | 503
  readonly title: string
  /** `{address}` stands for whose mail it is. */
  readonly sentences: readonly string[]
  /** The one thing that can be done here. */
  readonly button?: string
}

const AGAIN = 'Please try again in a few minutes.'

export const SAYINGS = {
  question: {
    status: 200,
    title: 'Unsubscribe?',
    sentences: [
      'Press the button, and this sender will send no more mail to {address}.',
      'If you came here by mistake, just close this page: nothing has changed.',
    ],
    button: 'Unsubscribe',
  },
  done: {
    status: 200,
    title: 'You are unsubscribed',
    sentences: [
      'This sender sends no more mail to {address}.',
      'A message that is on its way already may still arrive.',
    ],
  },
  unknown: {
    status: 404,
    title: 'This link does not work',
    sentences: [
      'It is incomplete, or too old.',
      'Please use the link in a newer message, or answer that message and ask to be taken off the list.',
    ],
  },
  notOneClick: {
    status: 400,
    title: 'Nothing has changed',
    sentences: [
      'The request did not say that somebody wants to unsubscribe (RFC 8058: List-Unsubscribe=One-Click).',
      'Please open the link in a browser.',
    ],
  },
  notAllowed: { status: 405, title: 'Nothing has changed', sentences: ['This address takes GET and POST only.'] },
  tooLarge: { status: 413, title: 'Nothing has changed', sentences: ['The request is larger than it can be.'] },
  tooMany: { status: 429, title: 'Too many requests', sentences: ['Nothing has changed.', AGAIN] },
  failed: { status: 503, title: 'It did not work', sentences: ['Your wish could not be recorded.', AGAIN] },
} as const satisfies Record<string, Saying>

const STYLE = `
:root { color-scheme: light dark; --back: #f4f5f7; --card: #fff; --text: #1d2530; --soft: #566070; --line: #dfe3e8; --act: #1d4ed8; --on-act: #fff }
@media (prefers-color-scheme: dark) {
  :root { --back: #12161c; --card: #1b212a; --text: #e8ecf1; --soft: #a3adba; --line: #2d3642; --act: #8ab4ff; --on-act: #0b1526 }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, sans-serif }
main { width: 100%; max-width: 29rem; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem }
h1 { margin: 0 0 .75rem; font-size: 1.4rem; line-height: 1.25 }
p { margin: 0 0 .75rem }
p + p, form + p { color: var(--soft); font-size: .925rem }
:last-child { margin-bottom: 0 }
strong { overflow-wrap: anywhere }
form { margin: 1.25rem 0 }
button { width: 100%; padding: .8rem 1rem; border: 0; border-radius: .5rem; background: var(--act); color: var(--on-act); font: inherit; font-weight: 600; cursor: pointer }
button:focus-visible { outline: 3px solid var(--text); outline-offset: 2px }
`

/** No script, nothing from elsewhere, not to be framed (a click could be stolen), not to be kept, no referrer (it holds the token). */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
}

export function asText({ title, sentences }: Saying, address: string): string {
  return `${title}.\n${sentences.join(' ')}\n`.replace('?.', '?').replaceAll('{address}', () => address)
}

export function asPage({ title, sentences, button }: Saying, address: string): string {
  const shown = `<strong><bdi>${escaped(address)}</bdi></strong>`
  const [first = '', ...others] = sentences.map(
    (sentence) => `<p>${escaped(sentence).replaceAll('{address}', () => shown)}</p>`,
  )
  // The same request as that of a mail program (RFC 8058 §3.2), to this very URL: there is one way to unsubscribe.
  const form =
    button === undefined
      ? ''
      : `<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>${escaped(button)}</button></form>\n`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${first}
${form}${others.join('\n')}
</main>
</body>
</html>
`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}
