// Keeps the books of the demo: what the plan says, what the journal says, what is in the inbox; and finds where they
// disagree. No I/O: it is told of every record and every arrival.

import type { JournalRecord } from '../journal/record.ts'
import { causeText } from '../mail/outcome.ts'
import { replyText } from '../mail/reply.ts'
import {
  type ComesBack,
  type Expected,
  type Plan,
  type PlannedMessage,
  SCENE_KEYS,
  type SceneKey,
  sceneOf,
} from './demo-plan.ts'

export type Ending = 'delivered' | 'failed' | 'expired' | 'suppressed' | 'cancelled'

/** One recipient of one planned message. */
interface Account {
  readonly message: PlannedMessage
  readonly scene: SceneKey
  readonly address: string
  accepted: number
  deferred: number
  /** More than one is one too many. */
  readonly endings: Ending[]
  /** What came back as mail. */
  readonly returns: ComesBack[]
  arrivals: number
}

export interface SceneTally {
  readonly scene: SceneKey
  readonly planned: number
  readonly accepted: number
  readonly delivered: number
  /** Attempts that were put off, not recipients. */
  readonly deferred: number
  /** Failed or expired. */
  readonly failed: number
  readonly suppressed: number
  readonly waiting: number
  /** Delivered, and a report came back. */
  readonly cameBack: number
  readonly arrived: number
  readonly lastReply: string
}

export interface Judgement {
  readonly messages: number
  /** Messages all of whose recipients came to what the plan says, in journal and inbox. */
  readonly accounted: number
  readonly checks: readonly {
    readonly expected: Expected
    readonly planned: number
    readonly journal: number
    readonly inbox: number
  }[]
  /** Recipients whose answer must come back as mail, and those it came back from. */
  readonly cameBack: { readonly planned: number; readonly journal: number }
  /** One sentence each. */
  readonly problems: readonly string[]
}

const ENDINGS: ReadonlySet<string> = new Set<Ending>(['delivered', 'failed', 'expired', 'suppressed', 'cancelled'])
const RETURNS: ReadonlySet<string> = new Set<ComesBack>(['bounced', 'complained', 'unsubscribed', 'reported'])
const AS_EXPECTED: Readonly<Record<Ending, Expected | undefined>> = {
  delivered: 'delivered',
  failed: 'undelivered',
  expired: 'undelivered',
  suppressed: 'suppressed',
  cancelled: undefined,
}
const OUTCOMES: readonly Expected[] = ['delivered', 'undelivered', 'suppressed']

export class Ledger {
  readonly #accounts: readonly Account[]
  readonly #byMessage = new Map<string, readonly Account[]>()
  /** Relay's message id → what the plan calls it. */
  readonly #names = new Map<string, string>()
  readonly #ids = new Map<string, string>()
  readonly #lastReply = new Map<SceneKey, string>()
  readonly #suppressed = new Set<string>()
  readonly #strangers: string[] = []

  constructor(plan: Plan) {
    for (const message of [...plan.messages, plan.last]) {
      const accounts = message.recipients.map(
        ({ scene, address }): Account => ({
          message,
          scene,
          address,
          accepted: 0,
          deferred: 0,
          endings: [],
          returns: [],
          arrivals: 0,
        }),
      )
      this.#byMessage.set(message.messageId, accounts)
    }
    this.#accounts = [...this.#byMessage.values()].flat()
  }

  /** Takes a record of the journal. */
  record(record: JournalRecord): void {
    if (record.kind === 'suppression-added') this.#suppressed.add(record.recipient)
    if (record.message === undefined) return
    if (record.kind === 'accepted' && record.messageId !== undefined) {
      this.#names.set(record.message, record.messageId)
      this.#ids.set(record.messageId, record.message)
    }
    const account = this.#account(this.#names.get(record.message), record.recipient)
    if (account === undefined) return
    if (record.kind === 'accepted') account.accepted++
    if (record.kind === 'deferred') account.deferred++
    if (isEnding(record.kind)) account.endings.push(record.kind)
    if (isReturn(record.kind)) account.returns.push(record.kind)
    const words = wordsOf(record)
    if (words !== undefined) this.#lastReply.set(account.scene, words)
  }

  /** Takes a message of the inbox. */
  arrived({ messageId, recipients }: { messageId: string; recipients: readonly string[] }): void {
    for (const recipient of recipients) {
      const account = this.#account(messageId, recipient)
      if (account === undefined) this.#strangers.push(`${messageId} to ${recipient}`)
      else account.arrivals++
    }
  }

  isSuppressed(address: string): boolean {
    return this.#suppressed.has(address)
  }

  /** The relay's id of a planned message, once it was accepted. */
  idOf({ messageId }: PlannedMessage): string | undefined {
    return this.#ids.get(messageId)
  }

  /** Made-up reports, which must be refused. */
  get forged(): number {
    return count(this.#accounts, ({ scene, accepted }) => scene === 'forged' && accepted > 0)
  }

  /** Recipients whose story has ended, and all there are. */
  progress(): { readonly ended: number; readonly accepted: number; readonly all: number } {
    return {
      ended: count(this.#accounts, hasEnded),
      accepted: count(this.#accounts, ({ accepted }) => accepted > 0),
      all: this.#accounts.length,
    }
  }

  tallies(): readonly SceneTally[] {
    return SCENE_KEYS.map((scene) => {
      const own = this.#accounts.filter((account) => account.scene === scene)
      const ended = (...kinds: Ending[]): number =>
        count(own, ({ endings }) => endings.some((ending) => kinds.includes(ending)))
      return {
        scene,
        planned: own.length,
        accepted: count(own, ({ accepted }) => accepted > 0),
        delivered: ended('delivered'),
        deferred: own.reduce((sum, { deferred }) => sum + deferred, 0),
        failed: ended('failed', 'expired'),
        suppressed: ended('suppressed'),
        waiting: count(own, ({ accepted, endings }) => accepted > 0 && endings.length === 0),
        cameBack: count(own, ({ returns }) => returns.length > 0),
        arrived: own.reduce((sum, { arrivals }) => sum + arrivals, 0),
        lastReply: this.#lastReply.get(scene) ?? '',
      }
    })
  }

  judge(): Judgement {
    const problems = new Map(this.#accounts.map((account) => [account, this.#problemsOf(account)]))
    const messages = [...this.#byMessage.values()]
    return {
      messages: messages.length,
      accounted: count(messages, (accounts) => accounts.every((account) => problems.get(account)?.length === 0)),
      checks: OUTCOMES.map((expected) => {
        const own = this.#accounts.filter(({ scene }) => sceneOf(scene).expected === expected)
        return {
          expected,
          planned: own.length,
          journal: count(own, ({ endings }) => endings.some((ending) => AS_EXPECTED[ending] === expected)),
          inbox: own.reduce((sum, { arrivals }) => sum + arrivals, 0),
        }
      }),
      cameBack: {
        planned: count(this.#accounts, ({ scene }) => sceneOf(scene).comesBack !== undefined),
        journal: count(this.#accounts, ({ returns }) => returns.length > 0),
      },
      problems: [
        ...[...problems.values()].flat(),
        ...this.#strangers.map((stranger) => `The inbox has what was not sent: ${stranger}.`),
      ],
    }
  }

  #account(messageId: string | undefined, address: string): Account | undefined {
    return messageId === undefined
      ? undefined
      : this.#byMessage.get(messageId)?.find((account) => account.address === address)
  }

  #problemsOf(account: Account): string[] {
    const { message, scene, address, accepted, endings, returns, arrivals } = account
    const { expected, learns, comesBack } = sceneOf(scene)
    const arrivalsExpected = expected === 'delivered' ? 1 : 0
    const who = `${message.subject} to ${address}`
    const isSuppressed = this.#suppressed.has(address)
    const [ending, ...more] = endings
    const found: (string | false)[] = [
      accepted !== 1 && `${who} was accepted ${times(accepted)}.`,
      accepted === 1 && ending === undefined && `${who} must be ${expected}, and is still waiting.`,
      ending !== undefined &&
        AS_EXPECTED[ending] !== expected &&
        `${who} must be ${expected}; the journal says ${ending}.`,
      more.length > 0 && `${who} ended ${times(endings.length)}: ${endings.join(', ')}.`,
      arrivals !== arrivalsExpected &&
        `${who} must be in the inbox ${times(arrivalsExpected)}, and is ${times(arrivals)}.`,
      comesBack !== undefined && returns.length === 0 && `${who} must come back as ${comesBack}, and nothing has come.`,
      returns.some((one) => one !== comesBack) &&
        `${who} came back as ${returns.join(', ')}; it must ${comesBack === undefined ? 'not come back' : `be ${comesBack}`}.`,
      comesBack !== undefined && returns.length > 1 && `${who} came back ${times(returns.length)}.`,
      learns === 'always' && !isSuppressed && `${address} should be suppressed, and is not.`,
      learns === 'never' && isSuppressed && `${address} is suppressed for a fault that is not its own.`,
    ]
    return found.filter((problem) => problem !== false)
  }
}

/** What the receiver said last, or what happened instead. */
function wordsOf({ kind, reply, cause, report, why, verdict }: JournalRecord): string | undefined {
  if (kind === 'bounced') return `bounced: ${cause === undefined ? '' : causeText(cause)}`
  if (report !== undefined)
    return isReturn(kind) ? [kind, why ?? verdict?.category].filter((word) => word !== undefined).join(': ') : undefined
  if (reply !== undefined) return replyText(reply)
  const last = cause?.kind === 'expired' ? cause.last : cause
  return last === undefined ? undefined : causeText(last)
}

function isEnding(kind: string): kind is Ending {
  return ENDINGS.has(kind)
}

function isReturn(kind: string): kind is ComesBack {
  return RETURNS.has(kind)
}

/** Also what must come back has. */
function hasEnded({ scene, endings, returns }: Account): boolean {
  return endings.length > 0 && (sceneOf(scene).comesBack === undefined || returns.length > 0)
}

function count<Item>(items: readonly Item[], matches: (item: Item) => boolean): number {
  let total = 0
  for (const item of items) if (matches(item)) total++
  return total
}

function times(number: number): string {
  return number === 0 ? 'never' : number === 1 ? 'once' : number === 2 ? 'twice' : `${number} times`
}
