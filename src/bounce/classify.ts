// The classifier: one verdict for every failure, synchronous or reported. Pure; what it knows lies in rules/.
//
// A reply is judged by: text rules of the provider, general text rules, enhanced code, rules for words that say little,
// basic code, default. The text overrules the codes, because 5.7.1 is said for everything. The command matters: what is refused before RCPT is
// refused to us, so no such verdict may speak about the recipient.

import type { Cause } from '../mail/outcome.ts'
import { COMMANDS_ABOUT_US, type SmtpCommand, type SmtpReply } from '../mail/reply.ts'
import { masked } from './mask.ts'
import { quotedIn } from './quoted.ts'
import type { Rule, Rules } from './rules.ts'
import { withinTime } from './time-limit.ts'
import { type Action, CATEGORIES, type Category, type CoarseClass, type Verdict } from './verdict.ts'

export interface Classifiable {
  readonly cause: Cause
  /** The host that said it; decides whose rules are asked first. */
  readonly mx?: string
  /** Other mail gets through to the site: then no answer means that they block us. */
  readonly siteAlive?: boolean
}

/** A verdict with how it came about, for people. */
export interface Explanation {
  readonly verdict: Verdict
  readonly by: 'text' | 'enhanced code' | 'basic code' | 'command' | 'cause' | 'default'
  /** What was matched against: code and text, the varying parts masked. */
  readonly text: string
  readonly provider?: string
  readonly note?: string
}

export interface Classifier {
  classify(failure: Classifiable): Verdict
  explain(failure: Classifiable): Explanation
  /** The label of the family of sites an MX host belongs to. */
  providerOf(mx: string): string | undefined
}

const CACHE_ENTRIES = 10_000
/** For all own rules on one reply: a sound pattern takes microseconds, and everything waits meanwhile. */
const OWN_RULES_MS = 100
/** A busy machine may be to blame once. */
const SLOW_TIMES = 3
const ABOUT_RECIPIENT: ReadonlySet<Category> = new Set([
  'bad-mailbox',
  'inactive-mailbox',
  'bad-domain',
  'dns-failure',
  'quota-issues',
])
/** Refused here, another host or source may fare better (RFC 5321 §3.1, RFC 7504). */
const BEFORE_MAIL: ReadonlySet<SmtpCommand> = new Set(['banner', 'EHLO', 'HELO', 'STARTTLS', 'AUTH'])
/** Who could not look a domain up for now knows nothing of the domain. */
const LOOKED_UP_IN_VAIN = { class: 'infra' } as const
/** Also on a temporary refusal these are more than "again later". */
const SLOW_WHEN_TRANSIENT: ReadonlySet<Category> = new Set(['rate-limited', 'spam-related'])

export interface ClassifierOptions {
  /** An operator's rule took too long on a reply and was passed over; after some times it is left out. */
  readonly onSlowRule?: (rule: string) => void
}

export function createClassifier(rules: Rules, options: ClassifierOptions = {}): Classifier {
  return new RuleClassifier(rules, options)
}

class RuleClassifier implements Classifier {
  readonly #rules: Rules
  /** By provider, '' for all other hosts: the rules to ask, in order. */
  readonly #order = new Map<string, readonly Rule[]>()
  readonly #cache = new Map<string, Explanation>()

  readonly #onSlowRule: (rule: string) => void
  /** How often each own rule took too long. */
  readonly #slow = new Map<Rule, number>()

  constructor(rules: Rules, { onSlowRule = () => undefined }: ClassifierOptions) {
    this.#rules = rules
    this.#onSlowRule = onSlowRule
  }

  classify(failure: Classifiable): Verdict {
    return this.explain(failure).verdict
  }

  explain({ cause, mx, siteAlive }: Classifiable): Explanation {
    switch (cause.kind) {
      case 'reply':
        return this.#explainReply(cause.reply, cause.command, mx === undefined ? undefined : this.providerOf(mx))
      case 'expired': {
        if (cause.by === 'hold') return byCause('expired-held', 'paused-expired', 'fail')
        if (cause.by === 'throttle') return byCause('expired-throttled', 'throttle-expired', 'fail')
        if (cause.last === undefined) return byCause('expired-untried', 'message-expired', 'fail')
        const last = this.explain({ cause: cause.last, ...(mx ? { mx } : {}), ...(siteAlive ? { siteAlive } : {}) })
        return { ...last, verdict: { ...last.verdict, action: 'fail' } }
      }
      default:
        return explainFault(cause, siteAlive === true)
    }
  }

  providerOf(mx: string): string | undefined {
    let host = mx.toLowerCase()
    for (;;) {
      const provider = this.#rules.providers.get(host)
      if (provider !== undefined) return provider
      const dot = host.indexOf('.')
      if (dot < 0) return undefined
      host = host.slice(dot + 1)
    }
  }

  #explainReply(reply: SmtpReply, command: SmtpCommand, provider: string | undefined): Explanation {
    const text = masked(`${reply.code === 0 ? '' : reply.code} ${reply.lines.join(' ')}`)
    const key = `${provider ?? ''} ${command} ${reply.code} ${reply.enhanced ?? ''} ${text}`
    const cached = this.#cache.get(key)
    if (cached !== undefined) {
      // Put last again: the first key of a Map is then the one unused for longest.
      this.#cache.delete(key)
      this.#cache.set(key, cached)
      return cached
    }
    const explanation = this.#judge({ code: reply.code, enhanced: reply.enhanced, command, text, provider })
    this.#cache.set(key, explanation)
    if (this.#cache.size > CACHE_ENTRIES)
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest)
        break
      }
    return explanation
  }

  #judge(said: Said): Explanation {
    // What somebody else said and this one passes on tells more than the words around it.
    const heard = heardIn(said)
    const found =
      this.#bySaying(heard) ??
      (heard.text === said.text ? undefined : this.#bySaying({ ...said, command: heard.command })) ??
      this.#byBasic(heard)
    const { category, rule, by } = found
    const action = found.action ?? this.#actionOf(category, said)
    return {
      verdict: {
        ...CATEGORIES[category],
        ...(isTransient(heard) && CATEGORIES[category].class === 'domain' ? LOOKED_UP_IN_VAIN : {}),
        ...(found.class === undefined ? {} : { class: found.class }),
        category,
        action: isTransient(heard) && action === 'fail' ? 'retry' : action,
        rule,
      },
      by,
      text: said.text,
      ...(said.provider === undefined ? {} : { provider: said.provider }),
      ...(found.note === undefined ? {} : { note: found.note }),
    }
  }

  #bySaying(said: Said): Finding | undefined {
    return this.#byText(said, false) ?? this.#byEnhanced(said) ?? this.#byText(said, true)
  }

  #byText({ command, text, provider }: Said, weak: boolean): Finding | undefined {
    const rules = this.#rulesFor(provider)
    const isAsked = (each: Rule): boolean =>
      each.weak === weak && (each.commands?.has(command) ?? true) && mayMean(each.category, command)
    // The operator's come first.
    const own = rules.filter((each) => each.isOwn && isAsked(each))
    const rule = this.#firstOwn(own, text) ?? rules.find((each) => !each.isOwn && isAsked(each) && fits(each, text))
    if (rule === undefined) return undefined
    const { category, action, note } = rule
    return {
      category,
      rule: rule.name,
      by: 'text',
      ...(rule.class ? { class: rule.class } : {}),
      ...(action ? { action } : {}),
      ...(note ? { note } : {}),
    }
  }

  /** The shipped patterns are tested to be quick; of an operator's nobody knows. */
  #firstOwn(rules: readonly Rule[], text: string): Rule | undefined {
    let left = rules.filter((rule) => (this.#slow.get(rule) ?? 0) < SLOW_TIMES)
    while (left.length > 0) {
      const asking = left
      let at = 0
      const found = withinTime(OWN_RULES_MS, () =>
        asking.find((rule, index) => {
          at = index
          return fits(rule, text)
        }),
      )
      if (found !== undefined) return found.value
      for (const slow of asking.slice(at, at + 1)) {
        this.#slow.set(slow, (this.#slow.get(slow) ?? 0) + 1)
        this.#onSlowRule(slow.name)
      }
      left = asking.slice(at + 1)
    }
    return undefined
  }

  /** The operator's before the shipped, and among each the provider's before the general. */
  #rulesFor(provider = ''): readonly Rule[] {
    const known = this.#order.get(provider)
    if (known !== undefined) return known
    const rank = ({ isOwn, scope }: Rule): number => (isOwn ? 0 : 2) + (scope === undefined ? 1 : 0)
    const order = this.#rules.rules
      .filter(({ scope }) => scope === undefined || scope === provider)
      .toSorted((one, other) => rank(one) - rank(other))
    this.#order.set(provider, order)
    return order
  }

  #byEnhanced(said: Said): Finding | undefined {
    for (const code of enhancedCodes(said)) {
      const [level = '', subject = '', detail = ''] = code.split('.')
      for (const key of [code, `${subject}.${detail}`, `${level}.${subject}.*`, `${subject}.*`]) {
        const category = this.#rules.enhanced.get(key)
        if (category !== undefined && mayMean(category, said.command))
          return { category, rule: `code-${key}`, by: 'enhanced code' }
      }
    }
    return undefined
  }

  #byBasic(said: Said): Finding {
    const { basic, command } = this.#rules
    const byCode = basic.get(String(said.code))
    if (byCode !== undefined && mayMean(byCode, said.command)) {
      return { category: byCode, rule: `code-${said.code}`, by: 'basic code' }
    }
    if (isTransient(said)) return { category: 'transient', rule: 'default', by: 'default' }
    const byCommand = command.get(said.command)
    if (byCommand !== undefined) return { category: byCommand, rule: `command-${said.command}`, by: 'command' }
    return { category: 'other', rule: 'default', by: 'default' }
  }

  #actionOf(category: Category, said: Said): Action {
    if (isTransient(said)) return SLOW_WHEN_TRANSIENT.has(category) ? 'slow' : 'retry'
    const action = this.#rules.action.get(category) ?? 'fail'
    return action === 'fail' && BEFORE_MAIL.has(said.command) ? 'retry-elsewhere' : action
  }
}

function fits({ pattern, unless }: Rule, text: string): boolean {
  return pattern.test(text) && unless?.test(text) !== true
}

interface Said {
  /** 0 where a report gave none. */
  readonly code: number
  readonly enhanced: string | undefined
  readonly command: SmtpCommand
  readonly text: string
  readonly provider: string | undefined
}

interface Finding {
  readonly category: Category
  readonly rule: string
  readonly by: Explanation['by']
  readonly class?: CoarseClass
  readonly action?: Action
  readonly note?: string
}

/**
 * The innermost reply that the text passes on. The code that we were told still says whether to try again; the command
 * may only move the blame away from the recipient.
 */
function heardIn(said: Said): Said {
  const quoted = quotedIn(said.text)
  if (quoted === undefined) return said
  const command = COMMANDS_ABOUT_US.has(said.command) ? said.command : (quoted.command ?? said.command)
  if (quoted.text === undefined) return { ...said, command }
  const code = said.code === 0 ? (quoted.code ?? 0) : said.code
  return { ...said, command, code, enhanced: undefined, text: quoted.text }
}

function mayMean(category: Category, command: SmtpCommand): boolean {
  return !COMMANDS_ABOUT_US.has(command) || !ABOUT_RECIPIENT.has(category)
}

/** Without a basic code (a report may have none) the enhanced code tells. */
function isTransient({ code, text }: Said): boolean {
  if (code !== 0) return code < 500
  if (/^deferred:/i.test(text)) return true
  return /(?<![\d.])([45])\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/.exec(text)?.[1] === '4'
}

/**
 * Every enhanced code in the text, the ones that say something before x.0.0 and the ones of a relay's own summary
 * (`5.1.0 - Unknown address error 550-'5.2.2 …'`) after those it quotes.
 */
function enhancedCodes({ enhanced, text }: Said): string[] {
  const all = [...text.matchAll(/(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/g)].map(([code]) => code)
  if (enhanced !== undefined) all.unshift(enhanced)
  const saysLittle = (code: string): boolean => /\.0$/.test(code)
  return [...new Set([...all.filter((code) => !saysLittle(code)), ...all.filter(saysLittle)])]
}

type Fault = Exclude<Cause, { kind: 'reply' | 'expired' }>

/** What was no reply: by table. Temporary throughout, but for what DNS or we ourselves said for good. */
function explainFault(cause: Fault, siteAlive: boolean): Explanation {
  switch (cause.kind) {
    case 'dns':
      return cause.ours === true ? byCause('local-resolver', 'local-fault', 'retry') : explainDns(cause.code)
    case 'connect':
      if (cause.ours === true) return byCause('local-network', 'local-fault', 'retry')
      return isSilence(cause) ? unanswered(siteAlive) : byCause('lost', 'bad-connection', 'retry')
    case 'timeout':
      return isSilence(cause) ? unanswered(siteAlive) : byCause('timeout', 'bad-connection', 'retry')
    case 'tls':
      return byCause('tls', 'bad-configuration', 'retry')
    case 'protocol':
      return byCause('protocol', 'protocol-errors', 'retry')
    case 'ambiguous':
      // Probably taken: never a strike.
      return byCause('no-reply-to-dot', 'protocol-errors', 'retry')
    case 'local':
      return explainLocal(cause.code)
  }
}

function explainDns(code: string): Explanation {
  // RFC 7505 §4.1: the domain says itself that it takes no mail.
  if (code === '5.1.10') return byCause('null-mx', 'bad-domain', 'fail')
  if (code.startsWith('5.')) return byCause('domain-gone', 'dns-failure', 'fail')
  return byCause('dns', 'dns-failure', 'retry')
}

function explainLocal(code: string): Explanation {
  const action = code.startsWith('5.') ? 'fail' : 'retry'
  // Loops back to us, and addresses that we do not send to: what our own set-up forbids is no fault of the recipient.
  if (code.slice(1) === '.4.4' || code.slice(1) === '.4.6') return byCause('local-routing', 'local-fault', action)
  if (code.slice(1) === '.3.4') return byCause('local-size', 'message-too-large', action)
  // 5.6.3, 5.6.7, 5.7.30: the next hop cannot carry such a message; neither it nor the content is wrong.
  if (code.slice(1, 3) === '.6' || code.slice(1) === '.7.30')
    return byCause('local-conversion', 'protocol-errors', action)
  // 4.3.x: our errors and our configuration.
  if (code.slice(1, 3) === '.3') return byCause('local', 'local-fault', action)
  return byCause('local', 'other', action)
}

/** Before the greeting nothing has been said; later it is a connection that broke. */
export function isSilence(cause: Cause): boolean {
  if (cause.kind !== 'connect' && cause.kind !== 'timeout') return false
  return cause.command === undefined || cause.command === 'banner'
}

function unanswered(siteAlive: boolean): Explanation {
  return siteAlive
    ? byCause('no-answer-to-us', 'site-unreachable', 'retry')
    : byCause('no-answer', 'no-answer-from-host', 'retry')
}

function byCause(rule: string, category: Category, action: Action): Explanation {
  return { verdict: { ...CATEGORIES[category], category, action, rule }, by: 'cause', text: '' }
}
